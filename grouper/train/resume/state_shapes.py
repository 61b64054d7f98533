"""The shapes of an optimizer's state, found by a trial step on a stand-in without data."""

from __future__ import annotations

import contextlib
import copy
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import LBFGS, Optimizer

Group = Mapping[str, Any]
State = Mapping[str, Any]
Shape = tuple[int, ...]
Shapes = Mapping[str, Shape | None]  # None: neither a tensor nor a number

# Kernels that do not exist for the meta device.
PLAIN = {"fused": False, "foreach": False, "capturable": False}


class StateShapes:
    """For each parameter of an optimizer, the keys of its state and the shapes of their values."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._known: dict[object, Shapes] = {}
        members: Mapping[str, Optimizer] = getattr(optimizer, "members", {})
        self._member_of = {
            id(group): member for member in members.values() for group in member.param_groups
        }

    def of(self, group: Group, tensor: Tensor) -> Shapes:
        """The shape of each value in the state of a group's parameter; empty where not known."""
        if isinstance(self._optimizer, LBFGS):
            return {"func_evals": (), "n_iter": ()}
        member = self._member_of.get(id(group), self._optimizer)
        own = member.state.get(tensor)
        if own:
            return _shapes(own)
        key = id(group), tuple(tensor.shape), tensor.dtype
        if key not in self._known:
            self._known[key] = _shapes(_trial_state(member, group, tensor))
        return self._known[key]


def _trial_state(optimizer: Optimizer, group: Group, tensor: Tensor) -> State:
    """State after a trial step; for SGD with momentum 0, which may be the start of a warm-up, after
    one with momentum."""
    state = _trial_step(optimizer, group, tensor)
    if state or group.get("momentum") != 0:
        return state
    return _trial_step(optimizer, {**group, "momentum": 0.9}, tensor)


def _trial_step(optimizer: Optimizer, group: Group, tensor: Tensor) -> State:
    """State after a step on the meta device. Optimizers create their state before they compute
    with it, so it exists even where the step then fails."""
    with contextlib.suppress(Exception):
        parameter = torch.zeros(tensor.shape, dtype=tensor.dtype, device="meta", requires_grad=True)
        parameter.grad = torch.zeros_like(parameter)
        group = {key: value for key, value in group.items() if key not in ("params", "param_names")}
        options = {key: PLAIN.get(key, own_copy(value)) for key, value in group.items()}
        trial = stand_in(optimizer, {**options, "params": [parameter]})
        with contextlib.suppress(Exception):
            bare_step(trial)
        return dict(trial.state.get(parameter, {}))
    return {}


def stand_in(optimizer: Optimizer, group: dict[str, Any]) -> Optimizer:
    """An optimizer of the same class with one group, which shares nothing with the given one.

    It is restored from a state, as unpickling does, and has no attribute of the other but plain
    values: what else is there may be another optimizer, which a step would move.
    """
    trial: Optimizer = object.__new__(type(optimizer))
    for key, value in vars(optimizer).items():
        if isinstance(value, bool | int | float | str | None):
            vars(trial)[key] = value
    trial.__setstate__(
        {"defaults": dict(optimizer.defaults), "state": defaultdict(dict), "param_groups": [group]}
    )
    return trial


def own_copy(value: Any) -> Any:
    """A copy of what a step could write to."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    return copy.copy(value) if isinstance(value, list | dict | set) else value


def bare_step(optimizer: Optimizer) -> None:
    """A step without the hooks of all optimizers in the process, which count steps of a run."""
    step: Any = type(optimizer).step
    (step.__wrapped__ if getattr(step, "hooked", False) else step)(optimizer)


def _shapes(state: State) -> Shapes:
    return {str(key): shape_of(value) for key, value in state.items()}


def shape_of(value: object) -> Shape | None:
    """The shape of a tensor, () of a number, and None of anything else."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    return () if isinstance(value, int | float) else None
