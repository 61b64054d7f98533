"""Files of `torch.save` since torch 1.6: a zip archive whose `data.pkl` describes everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from grouper.model.contents import find_model
from grouper.model.files.file import BytesSource
from grouper.model.files.zip import Entry, directory, opened, record, several_descriptions
from grouper.model.inventory import Inventory
from grouper.model.pickle.machine import Limits, described


class ArchiveFormat(Protocol):
    """A module of this folder that reads zip archives and recognises them by their members."""

    def recognises(self, entries: Mapping[str, Entry]) -> bool: ...

    def read(
        self, file: BytesSource, entries: Mapping[str, Entry], key: str | None
    ) -> Inventory: ...


# Names of members that `torch.save` never writes: without one of them, no other format is tried.
OTHERS = ("archive_format", "serialized_exported_program.json", "constants.pkl", "model.json")


def archives() -> Iterator[ArchiveFormat]:
    """The other formats of zip archives."""
    from grouper.model.formats import torch_export, torchscript

    yield from (torch_export, torchscript)


def recognises(head: bytes) -> bool:
    """Whether a file begins with a zip archive's member, the only check that torch makes."""
    return head.startswith(b"PK\3\4")


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of an archive; tensors' bytes are not read."""
    entries = directory(file)
    others = any(name.casefold().endswith(OTHERS) for name in entries)
    for archive in archives() if others else ():
        if archive.recognises(entries):
            return archive.read(file, entries, key)
    return find_model.find(saved(file, entries), key, file.path)


def saved(file: BytesSource, entries: Mapping[str, Entry], limits: Limits | None = None) -> Any:
    """The value passed to `torch.save`."""
    description = record(entries, "data.pkl")
    if description is None:
        from grouper.model.formats import unsupported

        raise unsupported.archive(file.path, entries)
    if sum(name.casefold().endswith("/data.pkl") for name in entries) > 1:
        raise several_descriptions(file)
    root, _ = described(opened(file, description), limits=limits)
    return root
