"""torch's own files since 1.6: a zip archive whose `data.pkl` describes everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.model import codes
from grouper.model.contents import find_model
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource
from grouper.model.files.zip import Entry, directory, opened, record
from grouper.model.formats import torch_export, torchscript, unsupported
from grouper.model.inventory import Inventory
from grouper.model.pickle.machine import Limits, described


def recognises(head: bytes) -> bool:
    """Whether a file begins with a zip archive's member; torch looks at the beginning only."""
    return head.startswith(b"PK\3\4")


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of an archive; no tensor's bytes are read."""
    entries = directory(file)
    if torch_export.recognises(entries):
        if record(entries, "data.pkl") is not None:
            raise _several(file)
        return torch_export.read(file, entries, key)
    if torchscript.recognises(entries):
        return torchscript.read(file, entries, key)
    return find_model.find(saved(file, entries), key, file.path)


def saved(file: BytesSource, entries: Mapping[str, Entry], limits: Limits | None = None) -> Any:
    """What the program gave to `torch.save`."""
    description = record(entries, "data.pkl")
    if description is None:
        raise unsupported.archive(file.path, entries)
    if sum(name.casefold().endswith("/data.pkl") for name in entries) > 1:
        raise _several(file)
    root, _ = described(opened(file, description), limits=limits)
    return root


def _several(file: BytesSource) -> ModelError:
    return ModelError(codes.OVER_LIMIT, f"`{file.path}` describes several models at once")
