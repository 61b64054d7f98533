"""What stands between a training loop and torch: wrappers of optimizers, and running ranks."""

from __future__ import annotations

from typing import Any

from torch import distributed
from torch.optim import Optimizer

MOST_WRAPPERS = 8  # more of them are a circle


def unwrap_optimizer(optimizer: Any) -> Any:
    """The torch optimizer behind its wrappers (Accelerate's, Lightning's), or what it was given."""
    found = optimizer
    for _ in range(MOST_WRAPPERS):
        inner = getattr(found, "optimizer", None)
        if not isinstance(inner, Optimizer):
            break
        found = inner
    return found


def distributed_is_running() -> bool:
    """Whether this process is a rank of a process group of torch."""
    return distributed.is_available() and distributed.is_initialized()
