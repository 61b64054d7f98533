"""DeepSpeed checkpoints: folders with one file per rank; the first rank's describes the model."""

from __future__ import annotations

import os
import re

from grouper.model import codes
from grouper.model.contents import find_model
from grouper.model.contents.deepspeed_engine import CONSOLIDATE
from grouper.model.errors import ModelError
from grouper.model.files.file import File, cut_short
from grouper.model.formats import torch_saved
from grouper.model.inventory import Inventory

_LATEST = "latest"
_STATES = re.compile(r"(?:zero_pp_rank_0_)?mp_rank_0+_model_states\.pt")
_MAX_TAG = 255  # bytes of a folder's name


def recognises(folder: str) -> bool:
    """Whether a folder is a DeepSpeed checkpoint, or its parent folder with the `latest` file."""
    return bool(_state_files(folder)) or os.path.isfile(os.path.join(folder, _LATEST))


def read(folder: str, key: str | None) -> Inventory:
    """The inventory of the model, from the first rank's file.

    Raises OSError if that file cannot be opened, ModelError for any other error.
    """
    with File(_model_file(folder)) as file:
        return find_model.find(torch_saved.saved(file), key, file.path)


def _state_files(folder: str) -> list[str]:
    return sorted(filter(_STATES.fullmatch, os.listdir(folder)))


def _model_file(folder: str) -> str:
    """The path of the file that describes the model. Raises ModelError if there is none."""
    files = _state_files(folder)
    if files:
        return os.path.join(folder, files[0])
    with File(os.path.join(folder, _LATEST)) as file:
        if file.size > _MAX_TAG:
            raise cut_short(file.path)
        tag = file.read(0, file.size).decode("utf-8", "replace").strip()
    inside = os.path.join(folder, tag)
    if tag in ("", ".", "..") or os.path.basename(tag) != tag or not os.path.isdir(inside):
        raise ModelError(
            codes.BROKEN,
            f"`{folder}` is a DeepSpeed checkpoint without the folder that its `latest` names",
            "give the path of the `global_step...` folder in it",
        )
    files = _state_files(inside)
    if not files:
        raise ModelError(
            codes.UNSUPPORTED, f"`{inside}` has no `mp_rank_00_model_states.pt`", CONSOLIDATE
        )
    return os.path.join(inside, files[0])
