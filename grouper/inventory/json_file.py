"""JSON files: a snapshot, or the index of a model in several files."""

from __future__ import annotations

from grouper.inventory import snapshot
from grouper.inventory.checkpoint import refused, sharded
from grouper.inventory.checkpoint.bounded_json import loaded
from grouper.inventory.checkpoint.file import BytesSource
from grouper.inventory.model import Inventory


def recognises(head: bytes) -> bool:
    """Whether a file begins as a JSON object does."""
    return head.lstrip()[:1] == b"{"


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of a snapshot or an index. Raises ModelError for other JSON."""
    try:
        value = loaded(file)
    except ValueError:
        raise refused.value(file.path, None) from None
    if sharded.is_index(value):
        return sharded.read(file, value, key)
    return snapshot.inventory(value, file.path)
