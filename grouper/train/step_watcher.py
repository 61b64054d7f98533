"""What happens between two steps of a scheduler: who steps, and whether a batch was in between."""

from __future__ import annotations

import warnings
import weakref
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

# Gradients are looked at over the first steps alone: a loop that is right stays right.
LOOKED_AT = 64
# So many times in a row must the scheduler step twice a batch before it is said to.
SURE = 6

Gradients = list[tuple[int, int] | None]


class StepWatcher:
    """Watches an optimizer for a scheduler, through torch's hooks on the steps of optimizers.

    An optimizer with the same group dictionaries (a wrapper, one of several members) is the watched
    one; another one that has some of its parameters is a stranger. Nothing is judged by how often
    the optimizer steps: gradients may be accumulated, and a GradScaler may skip its steps.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._strangers: WeakKeyDictionary[Optimizer, bool] = WeakKeyDictionary()
        self._stepped = False
        self._stranger: str | None = None
        self._ever_stepped = False
        self._looked = 0
        self._before: Gradients | None = None
        self._last_worked = False
        self._twice = 0
        self._began_early = False
        hook = register_optimizer_step_post_hook(partial(_tell, weakref.ref(self)))
        weakref.finalize(self, hook.remove)

    def saw(self, optimizer: Optimizer) -> None:
        """An optimizer, of all there are, has stepped."""
        if optimizer is self._optimizer or self._is_watched(optimizer):
            self._stepped = self._ever_stepped = True
            return
        if optimizer not in self._strangers:
            self._strangers[optimizer] = not _parameters(optimizer).isdisjoint(
                _parameters(self._optimizer)
            )
        if self._strangers[optimizer]:
            self._stranger = type(optimizer).__name__

    def judge(self) -> str | None:
        """What is wrong with what happened since the last call, in words; None where nothing is."""
        stepped, stranger = self._stepped, self._stranger
        self._stepped, self._stranger = False, None
        if stranger is not None and not stepped:
            return (
                f"another optimizer ({stranger}) was stepped in place of the scheduler's: it has"
                " the same parameters, and the plan's lr never reaches it; make the scheduler from"
                " the optimizer that the loop steps: `plan.scheduler(optimizer)`"
            )
        if self._looked < LOOKED_AT and not _distributed():
            self._looked += 1
            return self._judge_pace(stepped)
        return None

    def _judge_pace(self, stepped: bool) -> str | None:
        """A step after which neither the optimizer stepped nor a gradient changed is idle. Idle
        steps happen (a skipped batch, a skipped step of a GradScaler); one after each batch is a
        scheduler stepped twice."""
        now = _gradients(self._optimizer)
        self._warn_of_order(stepped, any(now))
        worked = stepped or now != self._before
        self._before = now
        if worked and self._last_worked:
            self._twice = 0
        elif not worked and self._last_worked:
            self._twice += 1
        self._last_worked = worked
        if self._twice < SURE or not self._ever_stepped:
            return None
        return (
            f"the scheduler is stepped twice a batch: {SURE} times in a row `scheduler.step()` came"
            " again without a batch in between; call it once, after `optimizer.step()` (a framework"
            " may do so already: Lightning does with `interval: step`)"
        )

    def _warn_of_order(self, stepped: bool, gradients: bool) -> None:
        """The first step came before any gradient, and the second one finds the first batch's: the
        order is wrong. A first step of a GradScaler that was skipped never looks so."""
        if self._looked == 1:
            self._began_early = not stepped and not gradients
        elif self._looked == 2 and self._began_early and stepped and gradients:
            warnings.warn(
                "`scheduler.step()` comes before `optimizer.step()`, so the plan's first lr was"
                " never used: call it after `optimizer.step()`",
                stacklevel=6,
            )

    def _is_watched(self, optimizer: Optimizer) -> bool:
        ours = {id(group) for group in self._optimizer.param_groups}
        return any(id(group) in ours for group in optimizer.param_groups)


def _tell(witness: weakref.ref[StepWatcher], optimizer: Optimizer, *_: Any) -> None:
    listening = witness()
    if listening is not None:
        listening.saw(optimizer)


def _parameters(optimizer: Optimizer) -> set[int]:
    return {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}


def _gradients(optimizer: Optimizer) -> Gradients:
    """Which gradient each parameter has, and how often it was written."""
    tensors: list[Tensor] = [t for group in optimizer.param_groups for t in group["params"]]
    found = [tensor.grad for tensor in tensors]
    return [None if grad is None else (id(grad), grad._version) for grad in found]


def _distributed() -> bool:
    """Whether gradients may be anywhere, and Accelerate steps once for each process."""
    distributed = torch.distributed
    return distributed.is_available() and distributed.is_initialized()
