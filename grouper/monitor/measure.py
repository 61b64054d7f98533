"""Norms and shares of one group, in foreach kernels; nothing is read back before `measured`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grouper.monitor.record import Measurement


@dataclass(frozen=True)
class Before:
    """A group as it stood before the optimizer's step: scalars still on their device."""

    weights: list[Tensor]
    weight_norm: Tensor
    gradient_norm: Tensor | None
    nonzero: Tensor | None
    values_with_gradient: int
    gradients: list[Tensor]


@torch.no_grad()
def before(parameters: Sequence[Tensor]) -> Before:
    """Measure gradients and copy weights, just before a step (one copy of the group's values)."""
    weights = [p.detach() for p in parameters]
    gradients = [p.grad.detach() for p in parameters if p.grad is not None]
    gradients = [g.coalesce().values() if g.is_sparse else g for g in gradients]
    kept = [w.clone(memory_format=torch.preserve_format) for w in weights]
    return Before(
        weights=kept,
        weight_norm=_norm(kept),
        gradient_norm=_norm(gradients) if gradients else None,
        nonzero=_nonzero(gradients) if gradients else None,
        values_with_gradient=sum(g.numel() for g in gradients),
        gradients=gradients,
    )


@torch.no_grad()
def scalars(seen: Before, parameters: Sequence[Tensor]) -> Tensor:
    """Five numbers of one group as a float64 tensor on its device, just behind a step."""
    changes = torch._foreach_sub([p.detach() for p in parameters], seen.weights)
    change = _norm(list(changes))
    after = _norm([p.detach() for p in parameters])
    none = change.new_tensor(0.0)
    gradient = seen.gradient_norm if seen.gradient_norm is not None else none
    nonzero = seen.nonzero if seen.nonzero is not None else none
    return torch.stack([gradient, nonzero, seen.weight_norm, after, change])


def measured(numbers: Sequence[float], seen: Before, options: dict[str, Any]) -> Measurement:
    """Turn the numbers of `scalars`, now read back, into a measurement."""
    gradient_norm, nonzero, norm_before, norm_after, change = numbers
    count = seen.values_with_gradient
    nonfinite = 0.0
    if count and not _finite(gradient_norm):
        # An overflowing norm of finite values is no fault of theirs, so they are counted.
        nonfinite = sum(int((~torch.isfinite(g)).sum()) for g in seen.gradients) / count
    return Measurement(
        lr=float(options["lr"]),
        momentum=_momentum(options),
        gradient_norm=gradient_norm if count else None,
        weight_norm=norm_after,
        update_ratio=change / norm_before if norm_before else None,
        zero_gradients=1 - nonzero / count if count else None,
        nonfinite_gradients=nonfinite if count else None,
    )


def _norm(tensors: list[Tensor], order: float = 2) -> Tensor:
    """The norm over all values, as a float64 scalar. Shards (DTensor) are summed over ranks."""
    floats = [t if t.is_floating_point() or t.is_complex() else t.double() for t in tensors]
    wide = [t.float() if t.dtype in (torch.float16, torch.bfloat16) else t for t in floats]
    norms: list[Tensor] = [_whole(norm).double() for norm in torch._foreach_norm(wide, order)]
    device = norms[0].device
    whole: Tensor = torch.linalg.vector_norm(torch.stack([n.to(device) for n in norms]), order)
    return whole


def _nonzero(tensors: list[Tensor]) -> Tensor:
    counts = [_whole(torch.count_nonzero(t)).double() for t in tensors]
    return torch.stack([c.to(counts[0].device) for c in counts]).sum()


def _whole(value: Tensor) -> Tensor:
    full: Callable[[], Tensor] | None = getattr(value, "full_tensor", None)
    return full() if full is not None else value


def _finite(value: float) -> bool:
    return value - value == 0.0


def _momentum(options: dict[str, Any]) -> float | None:
    if "momentum" in options:
        return float(options["momentum"])
    if "betas" in options:
        return float(options["betas"][0])
    return None
