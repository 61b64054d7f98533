"""What is between a training loop and torch: wrappers of optimizers, and running ranks."""

from __future__ import annotations

from typing import Any

from torch import distributed
from torch.optim import Optimizer

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


def distributed_is_running() -> bool:
    """Whether this process is a rank of a process group of torch."""
    return distributed.is_available() and distributed.is_initialized()
