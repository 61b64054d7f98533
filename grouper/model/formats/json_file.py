"""JSON files: a snapshot, or the index of a model in several files."""

from __future__ import annotations

from grouper.model.files.file import BytesSource
from grouper.model.files.json import loaded
from grouper.model.formats import sharded_index, snapshot, unsupported
from grouper.model.inventory import Inventory


def recognises(head: bytes) -> bool:
    """Whether a file begins as a JSON object does."""
    return head.lstrip()[:1] == b"{"


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of a snapshot or an index. Raises ModelError for other JSON."""
    try:
        value = loaded(file)
    except ValueError:
        raise unsupported.value(file.path, None) from None
    if sharded_index.is_index(value):
        return sharded_index.read(file, value, key)
    return snapshot.inventory(value, file.path)
