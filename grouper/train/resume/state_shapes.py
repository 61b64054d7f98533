"""What an optimizer keeps for a parameter, found by letting it step on a stand-in without data."""

from __future__ import annotations

import contextlib
import copy
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import LBFGS, Optimizer

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

# Kernels that a stand-in on the meta device cannot have.
PLAIN = {"fused": False, "foreach": False, "capturable": False}


class StateShapes:
    """The keys of an optimizer's state for its parameters, and the shapes of what they hold."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._known: dict[object, Shapes] = {}

    def of(self, group: Mapping[str, Any], tensor: Tensor) -> Shapes:
        """What is kept for a parameter of a group; empty where that cannot be found out."""
        if isinstance(self._optimizer, LBFGS):
            return {"func_evals": (), "n_iter": ()}
        own = self._optimizer.state.get(tensor)
        if own:
            return _shapes(own)
        key = id(group), tuple(tensor.shape), tensor.dtype
        if key not in self._known:
            self._known[key] = _shapes(_found(_member(self._optimizer, group), group, tensor))
        return self._known[key]


def _found(optimizer: Optimizer, group: Mapping[str, Any], tensor: Tensor) -> Mapping[str, Any]:
    """What a step makes; where it makes nothing without momentum, as SGD's does not, what it makes
    with one, which may be at the start of its warm-up."""
    found = _tried(optimizer, group, tensor)
    if found or group.get("momentum") != 0:
        return found
    return _tried(optimizer, {**group, "momentum": 0.9}, tensor)


def _tried(optimizer: Optimizer, group: Mapping[str, Any], tensor: Tensor) -> Mapping[str, Any]:
    """The state after a step on the meta device. Optimizers make it before they compute with it, so
    it is there even where the step then fails."""
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


def _member(optimizer: Optimizer, group: Mapping[str, Any]) -> Optimizer:
    """Which of several optimizers in one has the group."""
    members: Mapping[str, Optimizer] = getattr(optimizer, "members", {})
    for member in members.values():
        if any(group is its for its in member.param_groups):
            return member
    return optimizer


def _shapes(state: Mapping[str, Any]) -> Shapes:
    return {str(key): tuple(getattr(value, "shape", ())) for key, value in state.items()}
