"""Sums over parameters that are sharded over processes (DTensor).

Each process sums its local shards; one reduction for each sharding completes the sums. The
reductions depend on the parameters' shardings alone, never on their values, so that no process
waits for a reduction that another one does not make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Sharding = tuple[Any, tuple[bool, ...]] | None  # the mesh, and which of its dimensions shard


@dataclass(frozen=True, slots=True)
class Part:
    """Parameters of one device, dtype and sharding: one foreach kernel serves them all.

    `indices` are their positions in the list that `parts` takes.
    """

    indices: tuple[int, ...]
    parameters: tuple[Tensor, ...]
    sharding: Sharding


def parts(parameters: Sequence[Tensor]) -> list[Part]:
    """Groups parameters by device, dtype and sharding."""
    members: dict[object, list[int]] = {}
    for index, parameter in enumerate(parameters):
        key = (parameter.device, parameter.dtype, _sharding(parameter))
        members.setdefault(key, []).append(index)
    return [
        Part(tuple(each), tuple(parameters[i] for i in each), _sharding(parameters[each[0]]))
        for each in members.values()
    ]


def local(tensor: Tensor, like: Tensor | None = None) -> Tensor:
    """The local shard of a DTensor, with the placements of `like`; a plain tensor as it is."""
    if not _is_sharded(tensor):
        return tensor.detach()
    sharded: Any = tensor.detach()
    if like is not None and sharded.placements != like.placements:  # type: ignore[attr-defined]
        sharded = sharded.redistribute(like.device_mesh, like.placements)  # type: ignore[attr-defined]
    shard: Tensor = sharded.to_local()
    return shard


def reduced(sums: Tensor, sharding: Sharding) -> Tensor:
    """Sums over local shards, reduced over the processes. A collective where they are sharded."""
    if sharding is None:
        return sums
    from torch.distributed.tensor import DTensor, Partial, Replicate

    mesh, dimensions = sharding
    placements = [Partial() if shards else Replicate() for shards in dimensions]
    full: Tensor = DTensor.from_local(sums, mesh, placements, run_check=False).full_tensor()
    return full


def _sharding(tensor: Tensor) -> Sharding:
    if not _is_sharded(tensor):
        return None
    sharded: Any = tensor
    return sharded.device_mesh, tuple(not p.is_replicate() for p in sharded.placements)


def _is_sharded(tensor: Tensor) -> bool:
    return hasattr(tensor, "placements") and hasattr(tensor, "to_local")


def read(vectors: Sequence[Tensor]) -> list[list[float]]:
    """The numbers in vectors on any devices: the only synchronisation of a measured step."""
    device = vectors[0].device
    numbers = torch.cat([vector.to(device) for vector in vectors]).tolist()
    lists, start = [], 0
    for vector in vectors:
        lists.append(numbers[start : start + len(vector)])
        start += len(vector)
    return lists
