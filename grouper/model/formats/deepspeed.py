"""DeepSpeed's checkpoints: folders of a file for each rank, of which the first describes the model.

Beside the state dict stand the names of the buffers, and, with ZeRO, the shapes of the parameters
that are trained: with its third stage the state dict has only empty tensors in their place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grouper.model import codes
from grouper.model.contents import state_dict
from grouper.model.errors import ModelError
from grouper.model.files.file import File, cut_short
from grouper.model.inventory import Inventory, Parameter
from grouper.model.name_limits import Names
from grouper.model.pickle.machine import Sequence
from grouper.model.pickle.tensors import Tensor, mapping, shape_of
from grouper.model.wrappers import wrapping_prefix

KEY = "module"
_LATEST = "latest"
_STATES = re.compile(r"(?:zero_pp_rank_0_)?mp_rank_0+_model_states\.pt")
_MAX_TAG = 255  # bytes of a folder's name
_CONSOLIDATE = "consolidate it with DeepSpeed's `zero_to_fp32.py`, and give the file that it writes"


@dataclass(frozen=True)
class _Shapes:
    """The shapes that the engine kept beside the state dict, by name."""

    trained: Mapping[str, tuple[int, ...] | None]
    frozen: Mapping[str, tuple[int, ...] | None]

    def completed(self, name: str, found: Tensor) -> Tensor:
        """A tensor's facts with its whole shape, and whether it is trained."""
        if name in self.trained:
            return replace(found, shape=self.trained[name], trains=True)
        if name in self.frozen:
            # parameters without elements are also kept there, and may be trained
            shape = self.frozen[name]
            return replace(found, shape=shape, trains=None if 0 in (shape or ()) else False)
        partitioned = bool(self.trained) and found.shape == (0,)
        return replace(found, shape=None) if partitioned else found


def recognises(folder: str) -> bool:
    """Whether a folder is a DeepSpeed checkpoint, or the one above it with its `latest` file."""
    return bool(_described_in(folder)) or os.path.isfile(os.path.join(folder, _LATEST))


def _described_in(folder: str) -> list[str]:
    return sorted(filter(_STATES.fullmatch, os.listdir(folder)))


def model_file(folder: str) -> str:
    """The path of the file that describes the model. Raises ModelError where there is none."""
    found = _described_in(folder)
    if found:
        return os.path.join(folder, found[0])
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
    found = _described_in(inside)
    if not found:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{inside}` has no `mp_rank_00_model_states.pt`",
            _CONSOLIDATE,
        )
    return os.path.join(inside, found[0])


def is_engine(root: Any) -> bool:
    """Whether a value is what DeepSpeed's engine saves for a rank."""
    keys = {name for name, _ in mapping(root) or ()}
    return KEY in keys and not keys.isdisjoint({"ds_version", "param_shapes"})


def inventory_of(root: Any, path: str) -> Inventory:
    """The inventory of what the engine saved for the first rank."""
    state = dict(mapping(root) or ())
    found = {
        # a state dict's tensors never require gradients, whatever the model's do
        name: facts if facts.is_parameter else replace(facts, trains=None)
        for name, facts, _ in state_dict.tensors_of(state[KEY])
    }
    shapes = _Shapes(
        _by_name(state.get("param_shapes")), _by_name(state.get("frozen_param_shapes"))
    )
    if not found and not shapes.trained:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{path}` is a DeepSpeed checkpoint whose layers are in files of their own",
            _CONSOLIDATE,
        )
    buffers = _buffers(state.get("buffer_names"), found)
    names = [*found, *(n for n in (*shapes.trained, *shapes.frozen) if n not in found)]
    Names().count(names)
    facts = {
        name: shapes.completed(name, found.get(name, Tensor(None, None)))
        for name in names
        if name not in buffers
    }
    prefix = wrapping_prefix(names)
    known = isinstance(state.get("buffer_names"), Sequence)
    parameters = tuple(
        Parameter(
            tuple(name.removeprefix(prefix) for name in tied),
            facts[tied[0]].shape,
            facts[tied[0]].dtype,
            facts[tied[0]].trains,
            tied[0],
            inferred=not known and facts[tied[0]].trains is None,
        )
        for tied in _tied(facts, state.get("shared_params"))
    )
    return Inventory(
        parameters,
        kind="DeepSpeed checkpoint",
        key=KEY,
        buffers=tuple(name.removeprefix(prefix) for name in found if name in buffers),
        remarks=_remarks(state, known),
    )


def _buffers(listed: Any, found: Mapping[str, Tensor]) -> frozenset[str]:
    if isinstance(listed, Sequence):
        return frozenset(name for name in listed.items if isinstance(name, str))
    return frozenset(name for name, facts in found.items() if state_dict.is_buffer(name, facts))


def _tied(facts: Mapping[str, Tensor], shared: Any) -> list[list[str]]:
    """The names, those of one tensor together; `shared` leads from an alias to its tensor."""
    tensors = dict(mapping(shared) or ())
    tied: dict[object, list[str]] = {}
    for name in facts:
        shared_with = tensors.get(name)
        same = shared_with if isinstance(shared_with, str) and shared_with in facts else name
        tied.setdefault(facts[same].storage or (same,), []).append(name)
    return list(tied.values())


def _by_name(value: Any) -> dict[str, tuple[int, ...] | None]:
    """The shapes of a dict, or of a list with a dict for each group of the optimizer."""
    dicts = value.items if isinstance(value, Sequence) else [value]
    once = {id(each): each for each in dicts}.values()
    return {name: shape_of(shape) for each in once for name, shape in mapping(each) or ()}


def _remarks(state: Mapping[str, Any], known: bool) -> tuple[str, ...]:
    ranks = state.get("mp_world_size")
    remarks = [] if known else ["the checkpoint does not tell parameters from buffers"]
    if isinstance(ranks, int) and ranks > 1:
        remarks.append(f"shapes are those of the first of {ranks} tensor-parallel ranks")
    return tuple(remarks)
