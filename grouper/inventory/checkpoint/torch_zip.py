"""torch's own files since 1.6: a zip archive whose `data.pkl` describes everything."""

from __future__ import annotations

from grouper.inventory import codes
from grouper.inventory.checkpoint import candidates, exported, torchscript
from grouper.inventory.checkpoint.file import BytesSource
from grouper.inventory.checkpoint.pickle_machine import described
from grouper.inventory.checkpoint.zip_directory import directory, opened, record
from grouper.inventory.errors import ModelError
from grouper.inventory.model import Inventory


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of an archive; no tensor's bytes are read."""
    entries = directory(file)
    if exported.recognises(entries):
        return exported.read(file, entries, key)
    if torchscript.recognises(entries):
        return torchscript.read(file, entries, key)
    description = record(entries, "data.pkl")
    if description is None:
        raise ModelError(
            codes.NOT_A_MODEL,
            f"`{file.path}` is a zip archive without a model",
            "give the file that `torch.save` wrote",
        )
    if sum(name.casefold().endswith("/data.pkl") for name in entries) > 1:
        raise ModelError(codes.OVER_LIMIT, f"`{file.path}` describes several models at once")
    root, _ = described(opened(file, description))
    return candidates.find(root, key, file.path)
