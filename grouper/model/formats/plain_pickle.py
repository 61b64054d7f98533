"""Pickles of `pickle.dump`: state dicts of numpy arrays (published by Detectron2) or of tensors,
and pickled models."""

from __future__ import annotations

import re

from grouper.model import codes
from grouper.model.contents import find_model
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource
from grouper.model.inventory import Inventory
from grouper.model.pickle.machine import described

# Protocols 2 to 5 begin with their number, older ones with the opcode of a dict, list or object.
# Pickles of joblib are excluded: they have arrays between their opcodes.
_HEAD = re.compile(
    rb"(?!.{,300}joblib)(?:\x80[\2-\5]|\((?:dp|lp|i\w)|[}\]]q\0"
    rb"|c(?:copy_reg|copyreg|collections|numpy|torch)[\w.]*\n[\w.]+\n)",
    re.DOTALL,
)


def recognises(head: bytes) -> bool:
    """Whether a file begins like a pickle; torch's legacy files do, too, and are tried before."""
    return _HEAD.match(head) is not None


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of a file's pickle. Raises ModelError if anything follows the pickle."""
    root, end = described(file)
    if end != file.size:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is a pickle followed by other data",
            "if you trust it, load it and save the state dict with `torch.save`",
        )
    return find_model.find(root, key, file.path)
