"""Loads an optimizer's state by the names of its parameters, into whatever groups there are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import LBFGS, Optimizer

from grouper.model.wrappers import bare_names
from grouper.text.printable import quoted_list
from grouper.train.resume.restored import Restored
from grouper.train.resume.state_shapes import Shape, Shapes, StateShapes

State = Mapping[str, Any]

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

    Raises ValueError where the optimizer or the state has no names of parameters, where `state` is
    not an optimizer's, and for LBFGS, whose single history of all parameters cannot be divided,
    where the parameters have changed.
    """
    if isinstance(state, str | Path):
        from grouper.train.resume.sharded_state import read

        state = read(state, {slot.name: slot.tensor for slot in _slots(optimizer)}, key)
    matched = match_state(optimizer, state)
    optimizer.load_state_dict({"state": matched.values, "param_groups": numbered_groups(optimizer)})
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


def match_state(optimizer: Optimizer, state: Mapping[str, Any]) -> MatchedState:
    """Match a saved state to an optimizer's parameters by name; nothing is loaded.

    Raises ValueError as `load_optimizer_state` does.
    """
    slots = list(_slots(optimizer))
    names = [slot.name for slot in slots]
    saved, listed = _saved(state), list(_names_in(state))
    source = _matched(names, listed)
    if isinstance(optimizer, LBFGS) and any(LBFGS_KEY in values for values in saved.values()):
        _check_same_parameters(listed, names)
        return MatchedState(state["state"], Restored(tuple(names)), frozenset(), source)
    values = _numbered_state(optimizer)
    outcomes: dict[str, list[str]] = {
        outcome: [] for outcome in ("kept", "new", "reshaped", "incompatible")
    }
    missing_keys: dict[str, None] = {}
    for slot in slots:
        candidate = saved.get(source.get(slot.name, ""))
        outcome, missing = ("new", []) if candidate is None else _outcome(candidate, slot)
        outcomes[outcome].append(slot.name)
        missing_keys.update(dict.fromkeys(missing))
        if candidate is not None and outcome == "kept":
            values[slot.number] = _redistributed(candidate, slot.tensor)
    used = set(source.values())
    dropped = tuple(name for name in saved if name not in used)
    names_of = {outcome: tuple(names) for outcome, names in outcomes.items()}
    restored = Restored(**names_of, dropped=dropped, missing_keys=tuple(missing_keys))
    stateless = frozenset(n for n in names if n in source and source[n] not in saved)
    return MatchedState(values, restored, stateless, source)


@dataclass(frozen=True)
class _Slot:
    """A parameter of the optimizer: its name, its number in the state dict, its state's shapes."""

    name: str
    number: int
    tensor: Tensor
    expected: Shapes

    @property
    def shape(self) -> Shape:
        return _shape(self.tensor)


def numbered_groups(optimizer: Optimizer) -> list[dict[str, Any]]:
    """The groups as in torch's state dicts, without the hooks that `state_dict()` runs."""
    groups, number = [], 0
    for group in optimizer.param_groups:
        count = len(group["params"])
        groups.append({**group, "params": list(range(number, number + count))})
        number += count
    return groups


def _numbered_state(optimizer: Optimizer) -> dict[Any, Any]:
    tensors = (tensor for group in optimizer.param_groups for tensor in group["params"])
    numbers = {id(tensor): number for number, tensor in enumerate(tensors)}
    return {numbers.get(id(key), key): value for key, value in optimizer.state.items()}


def _slots(optimizer: Optimizer) -> Iterator[_Slot]:
    shapes, number = StateShapes(optimizer), 0
    for group in optimizer.param_groups:
        names = names_of_group(group, "the optimizer")
        for name, tensor in zip(names, group["params"], strict=True):
            yield _Slot(name, number, tensor, shapes.of(group, tensor))
            number += 1


def _saved(state: Mapping[str, Any]) -> dict[str, State]:
    """The saved state of each parameter that has one, by name."""
    if "param_groups" not in state or "state" not in state:
        keys = quoted_list(list(state)[:5])
        raise ValueError(
            f"this is not the state of an optimizer (its keys: {keys or 'none'}): pass what"
            " `optimizer.state_dict()` returned, such as `checkpoint['optimizer']`"
        )
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    return {
        name: state["state"][number]
        for name, number in zip(_names_in(state), numbers, strict=True)
        if state["state"].get(number)
    }


def _names_in(state: Mapping[str, Any]) -> Iterator[str]:
    for group in state["param_groups"]:
        yield from names_of_group(group, "the saved state")


def names_of_group(group: Mapping[str, Any], whose: str = "the group") -> Sequence[str]:
    """The names of a group's parameters. Raises ValueError where it has none."""
    params = list(group["params"])
    if params and all(isinstance(name, str) for name in params):
        return params  # like torch.distributed.checkpoint, whose `param_names` may be of old groups
    if "param_names" in group and len(group["param_names"]) == len(params):
        return list(group["param_names"])
    if not params:
        return []
    raise ValueError(
        f"{whose} has no names of parameters, so it cannot be matched by name: build the"
        " optimizer with grouper, or from `named_parameters()` under torch 2.6 or later"
    )


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
    """The outcome of a parameter's saved state, and the keys that it lacks."""
    missing = [key for key in slot.expected if key not in state]
    if missing:
        return "incompatible", missing
    if slot.expected:
        pairs = [(_shape(state[key]), expected) for key, expected in slot.expected.items()]
        fits = all(shape == due or prod(shape) == prod(due) == 1 for shape, due in pairs if shape)
    else:
        fits = _could_fit([_shape(value) for value in state.values()], slot.shape)
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


def _shape(value: Any) -> Shape:
    return tuple(getattr(value, "shape", ()))


def _check_same_parameters(saved: list[str], names: list[str]) -> None:
    if bare_names(saved) != bare_names(names):
        raise ValueError(
            "LBFGS keeps one history for all parameters in their order, and they have changed since"
            " it was saved: continue without loading it"
        )
