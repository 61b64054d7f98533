"""Files of torch before 1.6: five consecutive pickles, followed by the tensors' bytes.

The pickles are the format's magic number, its version, facts about the machine, the saved value and
the keys of the storages.
"""

from __future__ import annotations

import re
from typing import Any

from grouper.model import codes
from grouper.model.contents import find_model
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource, cut_short
from grouper.model.inventory import Inventory
from grouper.model.pickle.machine import Dict, Limits, Sequence, described

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
# protocols 2 to 5, the later ones with a frame, and 0 and 1
_HEAD = re.compile(
    rb"\x80[\2-\5](?:\x95.{8})?\x8a\x0a"
    + re.escape(MAGIC.to_bytes(10, "little"))
    + rb"|L%dL?\n\." % MAGIC,
    re.DOTALL,
)


def recognises(head: bytes) -> bool:
    """Whether a file begins with the format's magic number."""
    return _HEAD.match(head) is not None and head[257:262] != b"ustar"


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of a file; tensors' bytes are not read."""
    return find_model.find(saved(file), key, file.path)


def saved(file: BytesSource, limits: Limits | None = None) -> Any:
    """The value passed to `torch.save`; the limits are for all its pickles together."""
    limits = limits or Limits()
    _, end = described(file, limits=limits)
    version, end = described(file, end, limits)
    if version != VERSION:
        raise ModelError(
            codes.BROKEN, f"`{file.path}` has an unknown version of torch's legacy format"
        )
    machine, end = described(file, end, limits)
    root, end = described(file, end, limits)
    keys, end = described(file, end, limits)
    if not isinstance(machine, Dict) or not isinstance(keys, Sequence):
        raise cut_short(file.path)
    if len(keys.items) * 8 > file.size - end:  # each storage begins with its length
        raise cut_short(file.path)
    return root
