"""Reads the parameter groups of a checkpoint's optimizers, without running its code."""

from __future__ import annotations

import os
import re
from typing import Any

from grouper.model import codes
from grouper.model.contents.saved_groups import SavedGroups, find, left_out
from grouper.model.errors import ModelError
from grouper.model.files.file import File
from grouper.model.formats.torch_saved import saved
from grouper.model.read import reading
from grouper.text.dataclass import dataclass

# The names that transformers' Trainer and Accelerate give to optimizer files beside a model's.
_BESIDE = re.compile(r"optimizer(_\d+)?\.(pt|bin|pth)")
MOST_FILES = 20


@dataclass(frozen=True)
class SavedOptimizers:
    """The optimizers of a checkpoint, and the path of their model; None if the file holds only
    optimizer state and no model is beside it."""

    optimizers: tuple[SavedGroups, ...]
    model: str | None


def read_optimizers(path: str) -> SavedOptimizers:
    """Reads the optimizers of a checkpoint: a file, or a folder with a model and optimizer files.

    Raises OSError if it cannot be opened, and ModelError if it has no optimizer state.
    """
    with reading(path):
        if os.path.isdir(path):
            return SavedOptimizers(_of_folder(path), path)
        root, optimizers = _of_file(path)
        if not optimizers:
            raise _none(path, root)
        if not all(optimizer.key for optimizer in optimizers):  # the whole file is their state
            folder = os.path.dirname(path) or "."
            return SavedOptimizers(optimizers, folder if _has_model(folder) else None)
        return SavedOptimizers(optimizers, path)


def _of_file(path: str) -> tuple[Any, tuple[SavedGroups, ...]]:
    with File(path) as file:
        root = saved(file)
    return root, find(root)


def _of_folder(path: str) -> tuple[SavedGroups, ...]:
    names = sorted(name for name in os.listdir(path) if _BESIDE.fullmatch(name))[:MOST_FILES]
    optimizers = tuple(one for name in names for one in _of_file(os.path.join(path, name))[1])
    if not optimizers:
        raise ModelError(
            codes.NO_OPTIMIZER,
            f"`{path}` has no optimizer file beside a model",
            "give a folder with `optimizer.pt` or `optimizer.bin`, or a checkpoint file",
        )
    return optimizers


def _has_model(folder: str) -> bool:
    """Whether a folder looks like the output of a trainer, with a saved model."""
    ending = (".safetensors", ".safetensors.index.json", "pytorch_model.bin")
    return any(name.endswith(ending) for name in os.listdir(folder))


def _none(path: str, root: Any) -> ModelError:
    key = left_out(root)
    if key is not None:
        return ModelError(
            codes.NO_OPTIMIZER,
            f"`{path}` has no optimizer state: its `{key}` is None, as YOLOv5 and Ultralytics"
            " leave it at the end of a run",
            "give a checkpoint saved during training, or audit the live optimizer:"
            " `grouper.audit(optimizer, model)`",
        )
    return ModelError(
        codes.NO_OPTIMIZER,
        f"`{path}` has no optimizer state",
        "save it beside the model: `torch.save({'model': model.state_dict(), 'optimizer':"
        " optimizer.state_dict()}, path)`",
    )
