"""torch's own files since 1.6: a zip archive whose `data.pkl` describes everything."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.inventory import codes
from grouper.inventory.checkpoint import candidates
from grouper.inventory.checkpoint.file import BytesSource
from grouper.inventory.checkpoint.pickle_machine import described
from grouper.inventory.checkpoint.zip_directory import Entry, directory, opened
from grouper.inventory.errors import ModelError
from grouper.inventory.model import Inventory


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of an archive; no tensor's bytes are read."""
    entries = directory(file)
    description = record(entries, "data.pkl")
    if description is None:
        raise ModelError(
            codes.NOT_A_MODEL,
            f"`{file.path}` is a zip archive without a model",
            "give the file that `torch.save` wrote",
        )
    if record(entries, "constants.pkl") is not None:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is a TorchScript archive",
            "give the checkpoint that it was made from",
        )
    if sum(name.casefold().endswith("/data.pkl") for name in entries) > 1:
        raise ModelError(codes.OVER_LIMIT, f"`{file.path}` describes several models at once")
    root, _ = described(opened(file, description))
    return candidates.find(root, key, file.path)


def record(entries: Mapping[str, Entry], name: str) -> Entry | None:
    """A member as torch finds it: below the first member's folder, whatever its case."""
    top = next(iter(entries), "").partition("/")[0]
    wanted = f"{top}/{name}".casefold()
    return next((e for n, e in entries.items() if n.casefold() == wanted), None)
