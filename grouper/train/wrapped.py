"""Wrappers of optimizers, and whether this process is one of several ranks."""

from __future__ import annotations

from typing import Any

from torch import distributed
from torch.optim import Optimizer

from grouper.text.arguments import wrong_type

MOST_WRAPPERS = 8  # more of them are a circle


def unwrap_optimizer(optimizer: Any) -> Any:
    """The innermost torch optimizer of wrappers that hold one as `optimizer`, such as Accelerate's
    and Lightning's; the argument itself where it is not a wrapper."""
    innermost = wrapper = optimizer
    for _ in range(MOST_WRAPPERS):
        wrapper = getattr(wrapper, "optimizer", None)
        if isinstance(wrapper, Optimizer):
            innermost = wrapper
    return innermost


def torch_optimizer(optimizer: object) -> Optimizer:
    """The torch optimizer in what was given as `optimizer`.

    Raises TypeError where there is none.

    A wrapper shares its state with the optimizer that it holds, so reading, trial steps and writing
    go to the latter.
    """
    inner = unwrap_optimizer(optimizer)
    if isinstance(inner, Optimizer):
        return inner
    hint = ""
    if isinstance(optimizer, type):
        hint = "construct it, or let `grouper.build_optimizer(model, rules)` do so"
    elif isinstance(optimizer, list | tuple):
        hint = "pass one optimizer at a time"
    raise wrong_type("optimizer", optimizer, "a torch optimizer or a wrapper of one", hint)


def distributed_is_running() -> bool:
    """Whether this process is a rank of a process group of torch."""
    return distributed.is_available() and distributed.is_initialized()
