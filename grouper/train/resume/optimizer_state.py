"""Loads an optimizer's state by the names of its parameters, whatever its groups are now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import LBFGS, Optimizer

from grouper.model.wrappers import bare_names
from grouper.text.arguments import in_words, require
from grouper.text.dataclass import dataclass, replace
from grouper.text.printable import visible
from grouper.train.resume.restored import Restored
from grouper.train.resume.saved_state import (
    NOT_A_STATE,
    SavedState,
    State,
    names_of,
    refuse_repeated,
    saved_state,
)
from grouper.train.resume.state_shapes import Shape, Shapes, StateShapes, shape_of
from grouper.train.wrapped import torch_optimizer

LBFGS_KEY = "func_evals"  # is in the one state that LBFGS keeps for all parameters


def load_optimizer_state(
    optimizer: Optimizer, state: Mapping[str, Any] | str | Path, *, key: str | None = None
) -> Restored:
    """Load what `optimizer.state_dict()` returned, parameter by parameter, by name.

    Moments follow their parameters where groups were split, merged, reordered or renamed since, and
    where the model was wrapped or unwrapped. Options (lr, weight_decay, ...) stay as the optimizer
    has them now. Tensors are cast and moved as torch's own `load_state_dict` does. A state that the
    optimizer cannot continue from is left out; the result names its parameters.

    `state` may also be what torch's `get_optimizer_state_dict` returned, or the folder to which
    `torch.distributed.checkpoint` saved that, from any number of processes; `key` is the name of
    the state in the folder, where it holds several. Full and sharded states go into full and
    sharded parameters. In a distributed run this is a collective.

    `optimizer` may be a wrapper that holds it, as Accelerate's and Lightning's do. Nothing is
    loaded where this raises: TypeError for arguments of other types, and ValueError where the
    optimizer or the state has no names of parameters, where `state` is not an optimizer's or is
    damaged, and for LBFGS, whose single history of all parameters cannot be divided, where these
    have changed.
    """
    inner = torch_optimizer(optimizer)
    require("key", key, (str, type(None)), "the name of a state in the checkpoint, or None")
    if isinstance(state, str | Path):
        from grouper.train.resume.sharded_state import read

        state = read(state, {slot.name: slot.tensor for slot in _slots(inner)}, key)
    matched = match_state(inner, state)
    inner.load_state_dict({"state": matched.values, "param_groups": numbered_groups(inner)})
    return matched.restored


@dataclass(frozen=True)
class MatchedState:
    """A saved state as an optimizer can take it: `values` by its own numbers of parameters.

    `stateless` are the parameters that were saved and had no state then; `restored` counts them as
    new. `source` is the saved name of each of the optimizer's, where there is one.
    """

    values: Mapping[Any, Any]
    restored: Restored
    stateless: frozenset[str]
    source: Mapping[str, str]


def match_state(optimizer: Optimizer, state: object) -> MatchedState:
    """Match a saved state to an optimizer's parameters by name; nothing is loaded.

    Raises TypeError and ValueError as `load_optimizer_state` does.
    """
    slots, saved = list(_slots(optimizer)), saved_state(state)
    names = [slot.name for slot in slots]
    source = _matched(names, saved.names)
    stateless = frozenset(n for n in names if n in source and source[n] not in saved.states)
    values = _numbered_state(optimizer)
    if isinstance(optimizer, LBFGS) and any(LBFGS_KEY in v for v in saved.states.values()):
        _check_same_parameters(saved, slots)
        kept = dict(zip(saved.names, slots, strict=True))
        restored = Restored(tuple(names))
    else:
        kept, restored = _matching(saved.states, slots, source)
        own = {slot.name for slot in slots if _has_stepped(values.get(slot.number))}
        left = {*restored.new, *restored.reshaped, *restored.incompatible}
        restored = replace(restored, stepped=not own.isdisjoint(left))
    for name, slot in kept.items():
        if name in saved.states:
            values[slot.number] = _redistributed(saved.states[name], slot.tensor)
    return MatchedState(values, restored, stateless, source)


@dataclass(frozen=True)
class _Slot:
    """A parameter of the optimizer: its name, its number in the state dict, the shapes of its
    state.
    """

    name: str
    number: int
    tensor: Tensor
    expected: Shapes


def _slots(optimizer: Optimizer) -> Iterator[_Slot]:
    shapes, number = StateShapes(optimizer), 0
    named = [names_of(group, "the optimizer") for group in optimizer.param_groups]
    refuse_repeated([name for names in named for name in names], "the optimizer")
    for group, names in zip(optimizer.param_groups, named, strict=True):
        for name, tensor in zip(names, group["params"], strict=True):
            yield _Slot(name, number, tensor, shapes.of(group, tensor))
            number += 1


def numbered_groups(optimizer: Optimizer) -> list[dict[str, Any]]:
    """The groups as in torch's state dicts, without the hooks that `state_dict()` runs.

    Numbers are ranges and not lists: for every tensor that it loads, torch looks its number up in
    all groups, and in lists the time would grow with the square of their length.
    """
    groups, number = [], 0
    for group in optimizer.param_groups:
        count = len(group["params"])
        groups.append({**group, "params": range(number, number + count)})
        number += count
    return groups


def _numbered_state(optimizer: Optimizer) -> dict[Any, Any]:
    tensors = (tensor for group in optimizer.param_groups for tensor in group["params"])
    numbers = {id(tensor): number for number, tensor in enumerate(tensors)}
    return {numbers.get(id(key), key): value for key, value in optimizer.state.items()}


def _has_stepped(state: State | None) -> bool:
    """Whether a state is more than what a class such as Adagrad begins with."""
    return state is not None and len(state) > 0 and bool(state.get("step", 1))


def _matching(
    saved: Mapping[str, State], slots: Sequence[_Slot], source: Mapping[str, str]
) -> tuple[dict[str, _Slot], Restored]:
    """The slots that continue, by the name of their saved state, and the outcome of every
    parameter.
    """
    outcomes: dict[str, list[str]] = defaultdict(list)
    missing_keys: dict[str, None] = {}
    kept: dict[str, _Slot] = {}
    for slot in slots:
        saved_name = source.get(slot.name)
        state = saved.get(saved_name) if saved_name is not None else None
        outcome, missing = ("new", []) if state is None else _outcome(state, slot)
        outcomes[outcome].append(slot.name)
        missing_keys.update(dict.fromkeys(missing))
        if saved_name is not None and outcome == "kept":
            kept[saved_name] = slot
    matched = set(source.values())
    dropped = tuple(name for name in saved if name not in matched)
    restored = Restored(
        kept=tuple(outcomes["kept"]),
        new=tuple(outcomes["new"]),
        dropped=dropped,
        reshaped=tuple(outcomes["reshaped"]),
        incompatible=tuple(outcomes["incompatible"]),
        missing_keys=tuple(missing_keys),
    )
    return kept, restored


def _matched(names: Sequence[str], saved: Sequence[str]) -> dict[str, str]:
    """The saved name of each name: the same, or the same without the names of wrappers."""
    same = {name: name for name in set(names) & set(saved)}
    rest, others = [[n for n in every if n not in same] for every in (names, saved)]
    bare = dict(zip(bare_names(others), others, strict=True))
    if len(bare) < len(others):
        return same
    pairs = zip(rest, bare_names(rest), strict=True)
    return same | {name: bare[plain] for name, plain in pairs if plain in bare}


def _redistributed(state: State, tensor: Tensor) -> State:
    """A parameter's state, sharded where the parameter is, else full."""
    if not any(hasattr(value, "placements") for value in (tensor, *state.values())):
        return state
    from grouper.train.resume.sharded_state import redistributed

    return {key: redistributed(value, tensor) for key, value in state.items()}


def _outcome(state: State, slot: _Slot) -> tuple[str, list[str]]:
    """The outcome of a parameter's saved state, and the keys that it lacks.

    Raises ValueError where it has something else than a tensor or number where one is due.
    """
    due = {key: shape for key, shape in slot.expected.items() if shape is not None}
    missing = [key for key in slot.expected if key not in state]
    missing += [key for key in due if key in state and state[key] is None]
    if missing:
        return "incompatible", missing
    if not slot.expected:
        shapes = [shape_of(value) or () for value in state.values()]
        return "kept" if _could_fit(shapes, tuple(slot.tensor.shape)) else "reshaped", []
    fits = True
    for key, shape in due.items():
        found = shape_of(state[key])
        if found is None:
            raise ValueError(
                f"{NOT_A_STATE}: `{key}` of `{visible(slot.name)}` must be a"
                f" {'tensor' if shape else 'number'}, and is {in_words(state[key])}"
            )
        fits = fits and (found == shape or prod(found) == prod(shape) == 1)
    return "kept" if fits else "reshaped", []


def _could_fit(shapes: Sequence[Shape], shape: Shape) -> bool:
    """Whether state of these shapes can be that of a parameter, where a trial step shows nothing:
    one has its shape, several are factors of it (as in Adafactor), or all are scalars."""
    tensors = [each for each in shapes if each]
    if not tensors or shape in tensors:
        return True
    factors = [each for each in tensors if len(each) == len(shape)]
    divide = all(size in (1, full) for f in factors for size, full in zip(f, shape, strict=True))
    return (
        divide
        and bool(shape)
        and all(any(f[axis] == full for f in factors) for axis, full in enumerate(shape))
    )


def _check_same_parameters(saved: SavedState, slots: Sequence[_Slot]) -> None:
    same = bare_names(saved.names) == bare_names(slot.name for slot in slots)
    size = sum(slot.tensor.numel() for slot in slots)
    for state in saved.states.values():
        flat = state.get("prev_flat_grad")
        same = same and (flat is None or prod(shape_of(flat) or ()) == size)
    if not same:
        raise ValueError(
            "LBFGS keeps one history for all parameters in their order, and they have changed since"
            " it was saved: continue without loading it"
        )
