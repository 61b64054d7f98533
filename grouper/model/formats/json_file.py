"""JSON files: a snapshot, or the index of a model in several files."""

from __future__ import annotations

from typing import Any, Protocol

from grouper.model.files import json
from grouper.model.files.file import HEAD, BytesSource
from grouper.model.formats import sharded_index, snapshot, snapshot_lines, unsupported
from grouper.model.inventory import Inventory


class JsonFormat(Protocol):
    """A module of this folder that reads JSON values and recognises them by their keys."""

    def recognises(self, value: Any) -> bool: ...

    def read(self, file: BytesSource, value: Any, key: str | None) -> Inventory: ...


VALUES: tuple[JsonFormat, ...] = (sharded_index, snapshot)


def recognises(head: bytes) -> bool:
    """Whether a file begins like a JSON object."""
    return head.lstrip()[:1] == b"{"


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of a snapshot or an index. Raises ModelError for other JSON."""
    head = file.read(0, min(file.size, HEAD))
    if snapshot_lines.recognises(head):
        inventory = snapshot.read_lines(file)
        if inventory is not None:
            return inventory
    try:
        value = sharded_index.loaded(file) if sharded_index.begins(head) else json.loaded(file)
    except ValueError:
        raise unsupported.value(file.path, None) from None
    for form in VALUES:
        if form.recognises(value):
            return form.read(file, value, key)
    raise unsupported.value(file.path, value)
