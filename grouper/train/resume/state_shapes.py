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
Shapes = Mapping[str, Shape]

# Kernels that do not exist for the meta device.
PLAIN = {"fused": False, "foreach": False, "capturable": False}


class StateShapes:
    """For each parameter of an optimizer, the keys of its state and the shapes of their values."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._known: dict[object, Shapes] = {}

    def of(self, group: Group, tensor: Tensor) -> Shapes:
        """The shape of each value in the state of a group's parameter; empty where not known."""
        if isinstance(self._optimizer, LBFGS):
            return {"func_evals": (), "n_iter": ()}
        own = self._optimizer.state.get(tensor)
        if own:
            return _shapes(own)
        key = id(group), tuple(tensor.shape), tensor.dtype
        if key not in self._known:
            self._known[key] = _shapes(_trial_state(_member(self._optimizer, group), group, tensor))
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
        stand_in = torch.zeros(tensor.shape, dtype=tensor.dtype, device="meta", requires_grad=True)
        stand_in.grad = torch.zeros_like(stand_in)
        options = {key: PLAIN.get(key, value) for key, value in group.items()}
        trial = copy.copy(optimizer)
        trial.state = defaultdict(dict)
        trial.param_groups = [{**options, "params": [stand_in]}]
        with contextlib.suppress(Exception):
            trial.step()
        return dict(trial.state.get(stand_in, {}))
    return {}


def _member(optimizer: Optimizer, group: Group) -> Optimizer:
    """The member of a chained optimizer that has the group; another optimizer as it is."""
    members: Mapping[str, Optimizer] = getattr(optimizer, "members", {})
    for member in members.values():
        if any(group is its for its in member.param_groups):
            return member
    return optimizer


def _shapes(state: State) -> Shapes:
    return {str(key): tuple(getattr(value, "shape", ())) for key, value in state.items()}
