"""From a checkpoint to the groups of its optimizers, without running anything of it."""

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

# As transformers' Trainer and Accelerate call the optimizers' files beside a model's.
_BESIDE = re.compile(r"optimizer(_\d+)?\.(pt|bin|pth)")
MOST_FILES = 20


@dataclass(frozen=True)
class SavedOptimizers:
    """The optimizers of a checkpoint, and the path of the model that they belong to; None where the
    file has the state of optimizers alone, and none beside it."""

    optimizers: tuple[SavedGroups, ...]
    model: str | None


def read_optimizers(path: str) -> SavedOptimizers:
    """The optimizers of a checkpoint: a file, or a folder with a model and files beside it.

    Raises OSError where it cannot be opened, and ModelError where it has no optimizer's state.
    """
    with reading(path):
        if os.path.isdir(path):
            return SavedOptimizers(_of_folder(path), path)
        root, found = _of_file(path)
        if not found:
            raise _none(path, root)
        if not all(optimizer.key for optimizer in found):  # the file is a state and nothing else
            folder = os.path.dirname(path) or "."
            return SavedOptimizers(found, folder if _has_model(folder) else None)
        return SavedOptimizers(found, path)


def _of_file(path: str) -> tuple[Any, tuple[SavedGroups, ...]]:
    with File(path) as file:
        root = saved(file)
    return root, find(root)


def _of_folder(path: str) -> tuple[SavedGroups, ...]:
    names = sorted(name for name in os.listdir(path) if _BESIDE.fullmatch(name))[:MOST_FILES]
    found = tuple(one for name in names for one in _of_file(os.path.join(path, name))[1])
    if not found:
        raise ModelError(
            codes.NO_OPTIMIZER,
            f"`{path}` has no file of an optimizer's state beside a model",
            "give a folder with `optimizer.pt` or `optimizer.bin` in it, or a checkpoint's file",
        )
    return found


def _has_model(folder: str) -> bool:
    """Whether a folder looks like one that a trainer saved a model to."""
    ending = (".safetensors", ".safetensors.index.json", "pytorch_model.bin")
    return any(name.endswith(ending) for name in os.listdir(folder))


def _none(path: str, root: Any) -> ModelError:
    key = left_out(root)
    if key is not None:
        return ModelError(
            codes.NO_OPTIMIZER,
            f"`{path}` has no optimizer's state: its `{key}` is None, as YOLOv5 and Ultralytics"
            " leave it when a run has ended",
            "give a checkpoint of the running training, or audit the live optimizer:"
            " `grouper.audit(optimizer, model)`",
        )
    return ModelError(
        codes.NO_OPTIMIZER,
        f"`{path}` has no optimizer's state in it",
        "save one beside the model: `torch.save({'model': model.state_dict(), 'optimizer':"
        " optimizer.state_dict()}, path)`",
    )
