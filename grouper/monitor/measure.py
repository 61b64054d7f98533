"""One step of an optimizer, measured: norms and counts of every parameter, in foreach kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from grouper.monitor.measurement import Numbers
from grouper.monitor.sharded import Part, local, parts, read, whole

# Their norms leave their own range long before their values do.
_NARROW = (torch.float16, torch.bfloat16)
# On the CPU torch adds up in the values' own precision, one after the other: exact enough for some
# ten thousand of them, and stuck at 2**24 times the largest.
_PIECE = 32768


class MeasuredStep:
    """Made just before a step; `numbers()` just behind it.

    In between it holds a copy of the weights, and nothing is read back from the device. What
    fails is kept and raised by `numbers()`, once every process has been told.

    Args:
        parameters: what the optimizer trains.
        scale: what the gradients are still multiplied with, where the step itself unscales them.
        late: whether the step computes the gradients itself, by a closure.
        failure: what went wrong before, so that this process can but tell the others.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        scale: Tensor | None,
        late: bool,
        failure: Exception | None = None,
    ) -> None:
        self._parameters = parameters
        self._scale = scale
        self._late = late
        self._failure = failure
        self._parts = parts(parameters)
        self._values = [0] * len(parameters)
        self._gradients: list[Tensor] = []
        self._weights: list[Tensor] = []
        self._copies: list[list[Tensor]] = []
        self._try(self._before)

    def numbers(self) -> list[Numbers]:
        """What was measured, a parameter each. Raises what failed, here or in another process."""
        sums: list[Tensor] = []
        self._try(lambda: sums.extend(self._after()))
        alone = all(part.spread is None for part in self._parts)
        failed = self._failure is not None
        if failed and not alone:
            sums = [_nothing(part) for part in self._parts]
        found: list[list[float]] = []
        if sums:
            found = read(
                [
                    whole(_flagged(vector, failed), part.spread)
                    for vector, part in zip(sums, self._parts, strict=True)
                ]
            )
        if self._failure is not None:
            raise self._failure
        if any(vector[-1] for vector in found):
            raise RuntimeError("it failed in another process")
        return self._told(found)

    @torch.no_grad()
    def _try(self, action: Callable[[], None]) -> None:
        if self._failure is None:
            try:
                action()
            except Exception as failure:
                self._failure = failure.with_traceback(None)

    def _before(self) -> None:
        for part in self._parts:
            weights = [local(parameter) for parameter in part.parameters]
            copies = [torch.empty_like(weight) for weight in weights]
            torch._foreach_copy_(copies, weights)
            self._copies.append(copies)
            self._weights.append(_squares(weights))
            if not self._late:
                self._gradients.append(self._gradient(part))

    def _after(self) -> list[Tensor]:
        sums = []
        for index, part in enumerate(self._parts):
            copies = self._copies[index]
            torch._foreach_sub_(copies, [local(parameter) for parameter in part.parameters])
            change = _squares(copies)
            copies.clear()
            gradient = self._gradient(part) if self._late else self._gradients[index]
            sums.append(torch.cat([gradient, self._weights[index], change]))
        return sums

    def _gradient(self, part: Part) -> Tensor:
        """Sums of squares and counts of what is not zero; both 0 where there is no gradient."""
        having = [i for i, p in enumerate(part.parameters) if p.grad is not None]
        for i in having:
            self._values[part.indices[i]] = part.parameters[i].numel()
        none = torch.zeros((), dtype=torch.float64, device=local(part.parameters[0]).device)
        if not having:
            return none.expand(2 * len(part.parameters))
        gradients = [_values(part.parameters[i]) for i in having]
        squares = _squares(gradients)
        if self._scale is not None:
            squares = squares / self._scale.to(squares.device).double().square()
        counts = torch.stack([torch.count_nonzero(gradient) for gradient in gradients]).double()
        if len(having) < len(part.parameters):
            size = len(part.parameters)
            squares, counts = (_among(having, size, found, none) for found in (squares, counts))
        return torch.cat([squares, counts])

    def _told(self, found: list[list[float]]) -> list[Numbers]:
        told: dict[int, Numbers] = {}
        for part, vector in zip(self._parts, found, strict=True):
            size = len(part.indices)
            gradients, counts, weights, changes = (
                vector[i * size : (i + 1) * size] for i in range(4)
            )
            # An overflowing norm of finite values is no fault of theirs, so they are counted.
            broken = _nonfinite(part, [i for i, g in enumerate(gradients) if g - g != 0.0])
            for i, index in enumerate(part.indices):
                told[index] = Numbers(
                    gradients[i],
                    weights[i],
                    changes[i],
                    self._values[index],
                    int(counts[i]),
                    broken.get(i, 0),
                )
        return [told[index] for index in range(len(told))]


def _squares(tensors: Sequence[Tensor]) -> Tensor:
    """The sums of squares of tensors of one dtype and device, as float64."""
    first = tensors[0]
    if not (first.is_floating_point() or first.is_complex()):
        tensors = [tensor.double() for tensor in tensors]
    split: Any = torch.split
    pieces, counts = list(tensors), [1] * len(tensors)
    if first.device.type == "cpu":
        parted = [split(tensor.reshape(-1), _PIECE) for tensor in tensors]
        pieces, counts = [piece for each in parted for piece in each], list(map(len, parted))
    dtype = torch.float32 if first.dtype in _NARROW else None
    squares = torch.stack(list(torch._foreach_norm(pieces, 2, dtype=dtype))).double().square()
    if len(pieces) == len(tensors):
        return squares
    return torch.stack([of_one.sum() for of_one in split(squares, counts)])


def _values(parameter: Tensor) -> Tensor:
    """The values of a parameter's gradient; of a sparse one those that are there."""
    assert parameter.grad is not None
    gradient = local(parameter.grad, parameter)
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _among(places: list[int], size: int, found: Tensor, none: Tensor) -> Tensor:
    spread = [none] * size
    for place, number in zip(places, found.unbind(), strict=True):
        spread[place] = number
    return torch.stack(spread)


def _nonfinite(part: Part, faulty: list[int]) -> dict[int, int]:
    if not faulty:
        return {}
    gradients = [_values(part.parameters[i]) for i in faulty]
    counts = torch.stack([(~torch.isfinite(gradient)).sum() for gradient in gradients])
    (found,) = read([whole(counts.double(), part.spread)])
    return {i: int(count) for i, count in zip(faulty, found, strict=True)}


def _nothing(part: Part) -> Tensor:
    device = local(part.parameters[0]).device
    return torch.zeros(4 * len(part.indices), dtype=torch.float64, device=device)


def _flagged(vector: Tensor, failed: bool) -> Tensor:
    return torch.cat([vector, vector.new_full((1,), float(failed))])
