"""The value passed to `torch.save`, from either of its two formats."""

from __future__ import annotations

from typing import Any

from grouper.model.files.file import HEAD, BytesSource
from grouper.model.files.zip import directory
from grouper.model.formats import torch_legacy, torch_zip
from grouper.model.pickle.machine import Limits


def saved(file: BytesSource, limits: Limits | None = None) -> Any:
    """The value that a file describes. Raises ModelError if `torch.save` did not write it."""
    head = file.read(0, min(file.size, HEAD))
    if torch_zip.recognises(head):
        return torch_zip.saved(file, directory(file), limits)
    if torch_legacy.recognises(head):
        return torch_legacy.saved(file, limits)
    from grouper.model.formats import unsupported

    raise unsupported.beginning(file.path, head)
