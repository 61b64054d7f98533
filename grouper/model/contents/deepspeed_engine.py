"""What DeepSpeed's engine saves for a rank: a state dict, and facts about the model beside it.

Beside the state dict are the names of the buffers and, with ZeRO, the shapes of the parameters that
are trained: ZeRO's stage 3 leaves only empty tensors in the state dict.
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
CONSOLIDATE = "consolidate it with DeepSpeed's `zero_to_fp32.py`, and give the file that it writes"


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
            CONSOLIDATE,
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
    return Inventory(
        _parameters(facts, _tied(facts, state.get("shared_params")), prefix, known),
        kind="DeepSpeed checkpoint",
        key=KEY,
        buffers=tuple(name.removeprefix(prefix) for name in found if name in buffers),
        remarks=_remarks(state, known),
    )


def _parameters(
    facts: Mapping[str, Tensor], tied: Iterable[list[str]], prefix: str, known: bool
) -> tuple[Parameter, ...]:
    """The parameters, each with all of its names; `known`: the file lists the buffers."""
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
    remarks = [] if known else ["the checkpoint cannot distinguish parameters from buffers"]
    if isinstance(ranks, int) and ranks > 1:
        remarks.append(f"shapes are those of the first of {ranks} tensor-parallel ranks")
    return tuple(remarks)
