"""Pickles that `pickle.dump` wrote: state dicts of numpy's arrays, as Detectron2 publishes them, or
of tensors; and whole modules."""

from __future__ import annotations

import re

from grouper.model import codes
from grouper.model.contents import find_model
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource
from grouper.model.inventory import Inventory
from grouper.model.pickle.machine import described

# Protocols 2 to 5 say so. Before, a pickle begins with what it makes: a dict, a list, an object.
# joblib's have arrays between their opcodes.
_HEAD = re.compile(
    rb"(?!.{,300}joblib)(?:\x80[\2-\5]|\((?:dp|lp|i\w)|[}\]]q\0"
    rb"|c(?:copy_reg|copyreg|collections|numpy|torch)[\w.]*\n[\w.]+\n)",
    re.DOTALL,
)


def recognises(head: bytes) -> bool:
    """Whether a file begins as pickles do; torch's own begin so, too, and are asked for before."""
    return _HEAD.match(head) is not None


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of the first pickle in a file, which must be all there is."""
    root, end = described(file)
    if end != file.size:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is a pickle followed by something else",
            "load it where you trust it, and save the state dict with `torch.save`",
        )
    return find_model.find(root, key, file.path)
