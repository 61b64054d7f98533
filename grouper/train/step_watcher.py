"""Detects a scheduler stepped twice per batch, or another optimizer stepped in its place."""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.hooks import RemovableHandle

from grouper.train.wrapped import distributed_is_running

GRADIENT_CHECKS = 64  # of a scheduler's first steps: a loop that is right stays right
CONSECUTIVE_DOUBLE_STEPS = 6  # before they count as a mistake

Gradients = list[tuple[int, int] | None]


class StepWatcher:
    """Watches an optimizer for a scheduler, through torch's hooks on the steps of optimizers.

    An optimizer with the same group dictionaries (a wrapper, one of several members) counts as the
    watched one; any other that has some of its parameters is another optimizer. How often the
    optimizer steps does not matter: gradients may be accumulated, and a GradScaler may skip steps.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._shares_parameters: WeakKeyDictionary[Optimizer, bool] = WeakKeyDictionary()
        self._stepped = False
        self._other_optimizer: str | None = None
        self._ever_stepped = False
        self._gradient_checks = 0
        self._last_gradients: Gradients | None = None
        self._last_had_batch = False
        self._double_steps = 0
        self._began_early = False
        _watch(self)

    def on_step(self, optimizer: Optimizer) -> None:
        """Note that an optimizer, any in this process, has stepped."""
        if optimizer is self._optimizer or self._is_watched(optimizer):
            self._stepped = self._ever_stepped = True
            return
        if optimizer not in self._shares_parameters:
            self._shares_parameters[optimizer] = not _parameters(optimizer).isdisjoint(
                _parameters(self._optimizer)
            )
        if self._shares_parameters[optimizer]:
            self._other_optimizer = type(optimizer).__name__

    def problem(self) -> str | None:
        """What went wrong since the last call, in words; None if nothing did."""
        stepped, other = self._stepped, self._other_optimizer
        self._stepped, self._other_optimizer = False, None
        if other is not None and not stepped:
            return (
                f"another optimizer ({other}) was stepped in place of the scheduler's: it has"
                " the same parameters, and the plan's lr never reaches it; make the scheduler from"
                " the optimizer that the loop steps: `plan.scheduler(optimizer)`"
            )
        # Among several ranks gradients may be anywhere, and Accelerate steps once for each rank.
        if self._gradient_checks < GRADIENT_CHECKS and not distributed_is_running():
            self._gradient_checks += 1
            return self._double_step_problem(stepped)
        return None

    def _double_step_problem(self, stepped: bool) -> str | None:
        """A step before which neither the optimizer stepped nor a gradient changed is idle. Idle
        steps happen (a skipped batch, a skipped step of a GradScaler); one after each batch means
        that the scheduler is stepped twice."""
        gradients = _gradients(self._optimizer)
        self._warn_of_order(stepped, any(gradients))
        had_batch = stepped or gradients != self._last_gradients
        self._last_gradients = gradients
        if had_batch and self._last_had_batch:
            self._double_steps = 0
        elif not had_batch and self._last_had_batch:
            self._double_steps += 1
        self._last_had_batch = had_batch
        if self._double_steps < CONSECUTIVE_DOUBLE_STEPS or not self._ever_stepped:
            return None
        return (
            f"the scheduler is stepped twice per batch: {CONSECUTIVE_DOUBLE_STEPS} times in a row"
            " `scheduler.step()` came again without a batch in between; call it once, after"
            " `optimizer.step()` (a framework may do so already: Lightning does with"
            " `interval: step`)"
        )

    def _warn_of_order(self, stepped: bool, gradients: bool) -> None:
        """The order is wrong if the first step came before any gradient and the second one after
        the first batch's. A first step that a GradScaler skipped does not look like that."""
        if self._gradient_checks == 1:
            self._began_early = not stepped and not gradients
        elif self._gradient_checks == 2 and self._began_early and stepped and gradients:
            warnings.warn(
                "`scheduler.step()` comes before `optimizer.step()`, so the plan's first lr was"
                " never used: call it after `optimizer.step()`",
                stacklevel=6,
            )

    def _is_watched(self, optimizer: Optimizer) -> bool:
        watched = {id(group) for group in self._optimizer.param_groups}
        return any(id(group) in watched for group in optimizer.param_groups)


# One hook for all watchers, which stays: a watcher may be collected while torch iterates over its
# hooks, and none can be removed then.
_WATCHERS: WeakSet[StepWatcher] = WeakSet()
_HOOKS: list[RemovableHandle] = []


def _watch(watcher: StepWatcher) -> None:
    _WATCHERS.add(watcher)
    if not _HOOKS:
        _HOOKS.append(register_optimizer_step_post_hook(_on_any_step))


def _on_any_step(optimizer: Optimizer, *_: Any) -> None:
    for watcher in list(_WATCHERS):
        watcher.on_step(optimizer)


def _parameters(optimizer: Optimizer) -> set[int]:
    return {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}


def _gradients(optimizer: Optimizer) -> Gradients:
    """Which gradient each parameter has, and how often it was written."""
    tensors: list[Tensor] = [t for group in optimizer.param_groups for t in group["params"]]
    gradients = [tensor.grad for tensor in tensors]
    return [None if grad is None else (id(grad), grad._version) for grad in gradients]
