"""Parameters that are spread over processes (DTensor): sums over all of their pieces.

Each process adds up the pieces that it holds; one reduction for each way of being spread makes the
sums whole. Which reductions there are follows from the parameters alone, never from what a
process finds in them, so that no process waits for one that another does not make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Spread = tuple[Any, tuple[bool, ...]] | None  # the mesh, and on which of its dimensions pieces lie


@dataclass(frozen=True, slots=True)
class Part:
    """Parameters of one device, dtype and way of being spread: one foreach kernel for them all.

    `indices` are their places in the list that `parts` was given.
    """

    indices: tuple[int, ...]
    parameters: tuple[Tensor, ...]
    spread: Spread


def parts(parameters: Sequence[Tensor]) -> list[Part]:
    """The parameters, parted."""
    found: dict[object, list[int]] = {}
    for index, parameter in enumerate(parameters):
        key = (parameter.device, parameter.dtype, _spread(parameter))
        found.setdefault(key, []).append(index)
    return [
        Part(tuple(members), tuple(parameters[i] for i in members), _spread(parameters[members[0]]))
        for members in found.values()
    ]


def local(tensor: Tensor, like: Tensor | None = None) -> Tensor:
    """The piece that this process holds, laid out as `like` is; plain tensors are their own."""
    if not _is_spread(tensor):
        return tensor.detach()
    spread: Any = tensor.detach()
    if like is not None and spread.placements != like.placements:  # type: ignore[attr-defined]
        spread = spread.redistribute(like.device_mesh, like.placements)  # type: ignore[attr-defined]
    piece: Tensor = spread.to_local()
    return piece


def whole(sums: Tensor, spread: Spread) -> Tensor:
    """Sums over this process's pieces, added up over the processes."""
    if spread is None:
        return sums
    from torch.distributed.tensor import DTensor, Partial, Replicate

    mesh, pieces = spread
    placements = [Partial() if piece else Replicate() for piece in pieces]
    full: Tensor = DTensor.from_local(sums, mesh, placements, run_check=False).full_tensor()
    return full


def _spread(tensor: Tensor) -> Spread:
    if not _is_spread(tensor):
        return None
    spread: Any = tensor
    return spread.device_mesh, tuple(not p.is_replicate() for p in spread.placements)


def _is_spread(tensor: Tensor) -> bool:
    return hasattr(tensor, "placements") and hasattr(tensor, "to_local")


def read(vectors: Sequence[Tensor]) -> list[list[float]]:
    """The numbers of vectors on whatever devices: the one synchronisation of a measured step."""
    device = vectors[0].device
    numbers = torch.cat([vector.to(device) for vector in vectors]).tolist()
    found, start = [], 0
    for vector in vectors:
        found.append(numbers[start : start + len(vector)])
        start += len(vector)
    return found
