"""torch's own files since 1.6: a zip archive whose `data.pkl` describes everything."""

from __future__ import annotations

from grouper.inventory import codes
from grouper.inventory.checkpoint import candidates, pickle_machine
from grouper.inventory.checkpoint.file import File
from grouper.inventory.checkpoint.zip_directory import directory, member
from grouper.inventory.errors import ModelError
from grouper.inventory.model import Inventory


def read(file: File, key: str | None) -> Inventory:
    """The inventory of an archive; no tensor's bytes are read."""
    entries = directory(file)
    names = {name.partition("/")[2] for name in entries}
    if "data.pkl" not in names:
        raise ModelError(
            codes.NOT_A_MODEL,
            f"`{file.path}` is a zip archive without a model",
            "give the file that `torch.save` wrote",
        )
    if "constants.pkl" in names:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is a TorchScript archive",
            "give the checkpoint that it was made from",
        )
    described = [name for name in entries if name.partition("/")[2] == "data.pkl"]
    if len(described) > 1:
        raise ModelError(codes.OVER_LIMIT, f"`{file.path}` describes several models at once")
    try:
        root, _ = pickle_machine.run(member(file, entries[described[0]]))
    except pickle_machine.PickleError as error:
        raise ModelError(
            codes.BROKEN,
            f"the description in `{file.path}` cannot be read: {error}",
            "download or copy the file again",
        ) from None
    return candidates.find(root, key, file.path)
