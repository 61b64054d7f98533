"""The file that DeepSpeed's engine saves for a rank: a state dict, and facts about the model.

The facts are the names of the buffers and, with ZeRO, the shapes of the trained parameters: stage 3
of ZeRO leaves only empty tensors in the state dict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grouper.model import codes
from grouper.model.contents import state_dict
from grouper.model.errors import ModelError
from grouper.model.inventory import Inventory, Parameter
from grouper.model.name_limits import Names
from grouper.model.pickle.mappings import mapping
from grouper.model.pickle.tensors import Tensor, shape_of
from grouper.model.pickle.values import Sequence
from grouper.model.wrappers import wrapping_prefix
from grouper.text.dataclass import dataclass, replace

KEY = "module"
CONSOLIDATE = "consolidate it with DeepSpeed's `zero_to_fp32.py`, and give the resulting file"


@dataclass(frozen=True)
class _Shapes:
    """The shapes that the engine saved beside the state dict, by name."""

    trained: Mapping[str, tuple[int, ...] | None]
    frozen: Mapping[str, tuple[int, ...] | None]

    def completed(self, name: str, facts: Tensor) -> Tensor:
        """A tensor's facts, completed with its full shape and whether it is trained."""
        if name in self.trained:
            return replace(facts, shape=self.trained[name], trains=True)
        if name in self.frozen:
            # parameters without elements are also listed there, and may be trained
            shape = self.frozen[name]
            return replace(facts, shape=shape, trains=None if 0 in (shape or ()) else False)
        partitioned = bool(self.trained) and facts.shape == (0,)
        return replace(facts, shape=None) if partitioned else facts


def inventory_of(root: Any, path: str) -> Inventory:
    """The inventory of the file that the engine saved for the first rank."""
    state = dict(mapping(root) or ())
    tensors = {
        # tensors of a state dict never require gradients, even if the model's do
        name: facts if facts.is_parameter else replace(facts, trains=None)
        for name, facts, _ in state_dict.tensors_of(state[KEY])
    }
    shapes = _Shapes(
        _by_name(state.get("param_shapes")), _by_name(state.get("frozen_param_shapes"))
    )
    if not tensors and not shapes.trained:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{path}` is a DeepSpeed checkpoint whose layers are in separate files",
            CONSOLIDATE,
        )
    buffers = _buffers(state.get("buffer_names"), tensors)
    names = [*tensors, *(n for n in (*shapes.trained, *shapes.frozen) if n not in tensors)]
    Names().count(names)
    facts = {
        name: shapes.completed(name, tensors.get(name, Tensor(None, None)))
        for name in names
        if name not in buffers
    }
    prefix = wrapping_prefix(names)
    known = isinstance(state.get("buffer_names"), Sequence)
    return Inventory(
        _parameters(facts, _tied(facts, state.get("shared_params")), prefix, known),
        kind="DeepSpeed checkpoint",
        key=KEY,
        buffers=tuple(name.removeprefix(prefix) for name in tensors if name in buffers),
        remarks=_remarks(state, known),
    )


def _parameters(
    facts: Mapping[str, Tensor], tied: Iterable[list[str]], prefix: str, known: bool
) -> tuple[Parameter, ...]:
    """The parameters, each with all its names; `known` is True if the file lists the buffers."""
    return tuple(
        Parameter(
            tuple(name.removeprefix(prefix) for name in names),
            facts[names[0]].shape,
            facts[names[0]].dtype,
            facts[names[0]].trains,
            names[0],
            inferred=not known and facts[names[0]].trains is None,
        )
        for names in tied
    )


def _buffers(listed: Any, tensors: Mapping[str, Tensor]) -> frozenset[str]:
    if isinstance(listed, Sequence):
        return frozenset(name for name in listed.items if isinstance(name, str))
    return frozenset(name for name, facts in tensors.items() if state_dict.is_buffer(name, facts))


def _tied(facts: Mapping[str, Tensor], shared: Any) -> list[list[str]]:
    """The names grouped by tensor; `shared` maps an alias to the name of its tensor."""
    tensors = dict(mapping(shared) or ())
    tied: dict[object, list[str]] = {}
    for name in facts:
        shared_with = tensors.get(name)
        same = shared_with if isinstance(shared_with, str) and shared_with in facts else name
        tied.setdefault(facts[same].storage or (same,), []).append(name)
    return list(tied.values())


def _by_name(value: Any) -> dict[str, tuple[int, ...] | None]:
    """The shapes in a dict, or in a list with a dict for each parameter group."""
    dicts = value.items if isinstance(value, Sequence) else [value]
    once = {id(each): each for each in dicts}.values()
    return {name: shape_of(shape) for each in once for name, shape in mapping(each) or ()}


def _remarks(state: Mapping[str, Any], known: bool) -> tuple[str, ...]:
    ranks = state.get("mp_world_size")
    remarks = [] if known else ["the checkpoint cannot distinguish parameters from buffers"]
    if isinstance(ranks, int) and ranks > 1:
        remarks.append(f"shapes are from the first of {ranks} tensor-parallel ranks")
    return tuple(remarks)
