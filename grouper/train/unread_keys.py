"""The keys of an optimizer's groups that its class never reads in a step.

Steps are made on stand-ins: an optimizer of the same class over a few small tensors, whose group is
a dict that records which keys are read. Nothing of the given optimizer is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.optim import LBFGS, Optimizer

from grouper.model.contents.saved_groups import OWN_KEYS
from grouper.train.resume.state_shapes import PLAIN, bare_step, own_copy, stand_in

STEPS = 2  # what is read once there is a state, too
MOST_SIZE = 4  # of each dimension of a stand-in's tensor
MOST_SORTS = 4  # of tensors, by their number of dimensions


def unread_keys(optimizer: Optimizer) -> list[tuple[str, ...] | None]:
    """For each group the keys that no step reads; None where the stand-ins cannot step."""
    return [_unread(optimizer, group) for group in optimizer.param_groups]


class _Recorded(dict[str, Any]):
    """A group that records the keys that are read."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str):
            self.read.add(key)
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        # torch's optimizers set what older states lack in this way, which reads no value
        return super().setdefault(key, default)

    def keys(self) -> Any:
        self.read.update(self)
        return super().keys()

    def items(self) -> Any:
        self.read.update(self)
        return super().items()

    def values(self) -> Any:
        self.read.update(self)
        return super().values()

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().keys()))


def _unread(optimizer: Optimizer, group: dict[str, Any]) -> tuple[str, ...] | None:
    if isinstance(optimizer, LBFGS):  # steps with a closure alone
        return None
    options = {key: PLAIN.get(key, own_copy(v)) for key, v in group.items() if key not in OWN_KEYS}
    recorded = _Recorded({**options, "params": _small_tensors(group)})
    try:
        trial = stand_in(optimizer, recorded)
        recorded.read.clear()  # what restoring it read
        with torch.random.fork_rng(devices=[]):
            for _ in range(STEPS):
                for tensor in recorded["params"]:
                    tensor.grad = torch.ones_like(tensor)
                bare_step(trial)
    except Exception:  # a class that needs more than its groups
        return None
    return tuple(key for key in options if key not in recorded.read)


def _small_tensors(group: dict[str, Any]) -> list[torch.Tensor]:
    """One small parameter for each number of dimensions that the group's parameters have."""
    shapes: dict[int, tuple[int, ...]] = {}
    for tensor in group["params"]:
        small = tuple(min(size, MOST_SIZE) for size in tensor.shape)
        shapes.setdefault(len(small), small)
    sorts = list(shapes.values())[:MOST_SORTS]
    return [torch.nn.Parameter(torch.full(shape, 0.5)) for shape in sorts]
