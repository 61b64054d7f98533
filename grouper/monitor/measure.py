"""Measures one optimizer step: norms and counts of every parameter, with foreach kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from grouper.monitor.measurement import Numbers
from grouper.monitor.sharded import Part, local, parts, read, reduced

# Their norms overflow long before their values do.
_NARROW = (torch.float16, torch.bfloat16)
# On the CPU torch sums in the values' own precision, one after the other. That is accurate for some
# ten thousand values; a sum of 2**24 times the largest does not grow any more.
_CHUNK = 32768


class MeasuredStep:
    """Constructed directly before a step; `numbers()` is called directly after it.

    In between it keeps a copy of the weights, and does not synchronise with the device. An error is
    stored, and `numbers()` raises it once every process knows of it.

    Args:
        parameters: the parameters that the optimizer trains.
        scale: the factor of gradients that are still scaled, where the step itself unscales them.
        closure: whether the step computes the gradients itself, in a closure.
        failure: an earlier error of this process, which is then only reported to the others.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        scale: Tensor | None,
        closure: bool,
        failure: Exception | None = None,
    ) -> None:
        self._parameters = parameters
        self._scale = scale
        self._closure = closure
        self._failure = failure
        self._parts = parts(parameters)
        self._values = [0] * len(parameters)
        self._gradients: list[Tensor] = []
        self._weights: list[Tensor] = []
        self._copies: list[list[Tensor]] = []
        self._try(self._before)

    def numbers(self) -> list[Numbers]:
        """The numbers of each parameter. Raises the stored error, or that of another process."""
        sums: list[Tensor] = []
        self._try(lambda: sums.extend(self._after()))
        sharded = any(part.sharding is not None for part in self._parts)
        failed = self._failure is not None
        if failed and sharded:
            sums = [_zeros(part) for part in self._parts]
        vectors: list[list[float]] = []
        if sums:
            vectors = read(
                [
                    reduced(_flagged(vector, failed), part.sharding)
                    for vector, part in zip(sums, self._parts, strict=True)
                ]
            )
        if self._failure is not None:
            raise self._failure
        if any(vector[-1] for vector in vectors):
            raise RuntimeError("it failed in another process")
        return self._by_parameter(vectors)

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
            if not self._closure:
                self._gradients.append(self._gradient(part))

    def _after(self) -> list[Tensor]:
        sums = []
        for index, part in enumerate(self._parts):
            copies = self._copies[index]
            torch._foreach_sub_(copies, [local(parameter) for parameter in part.parameters])
            change = _squares(copies)
            copies.clear()
            gradient = self._gradient(part) if self._closure else self._gradients[index]
            sums.append(torch.cat([gradient, self._weights[index], change]))
        return sums

    def _gradient(self, part: Part) -> Tensor:
        """Sums of squares, then counts of values that are not 0; both 0 without a gradient."""
        having = [i for i, p in enumerate(part.parameters) if p.grad is not None]
        for i in having:
            self._values[part.indices[i]] = part.parameters[i].numel()
        zero = torch.zeros((), dtype=torch.float64, device=local(part.parameters[0]).device)
        if not having:
            return zero.expand(2 * len(part.parameters))
        gradients = [_values(part.parameters[i]) for i in having]
        squares = _squares(gradients)
        if self._scale is not None:
            squares = squares / self._scale.to(squares.device).double().square()
        counts = torch.stack([torch.count_nonzero(gradient) for gradient in gradients]).double()
        if len(having) < len(part.parameters):
            size = len(part.parameters)
            squares, counts = (_scattered(having, size, each, zero) for each in (squares, counts))
        return torch.cat([squares, counts])

    def _by_parameter(self, vectors: list[list[float]]) -> list[Numbers]:
        numbers: dict[int, Numbers] = {}
        for part, vector in zip(self._parts, vectors, strict=True):
            size = len(part.indices)
            gradients, counts, weights, changes = (
                vector[i * size : (i + 1) * size] for i in range(4)
            )
            # A norm of finite values may overflow, so the values themselves are counted.
            nonfinite = _nonfinite(part, [i for i, g in enumerate(gradients) if g - g != 0.0])
            for i, index in enumerate(part.indices):
                numbers[index] = Numbers(
                    gradients[i],
                    weights[i],
                    changes[i],
                    self._values[index],
                    int(counts[i]),
                    nonfinite.get(i, 0),
                )
        return [numbers[index] for index in range(len(numbers))]


def _squares(tensors: Sequence[Tensor]) -> Tensor:
    """The sums of squares of tensors of one dtype and device, as float64."""
    first = tensors[0]
    if not (first.is_floating_point() or first.is_complex()):
        tensors = [tensor.double() for tensor in tensors]
    on_cpu = first.device.type == "cpu"
    chunked = [_chunks(tensor) if on_cpu else (tensor,) for tensor in tensors]
    chunks = [chunk for each in chunked for chunk in each]
    dtype = torch.float32 if first.dtype in _NARROW else None
    squares = torch.stack(list(torch._foreach_norm(chunks, 2, dtype=dtype))).double().square()
    if len(chunks) == len(tensors):
        return squares
    owners = torch.tensor([i for i, each in enumerate(chunked) for _ in each])
    return squares.new_zeros(len(tensors)).index_add_(0, owners, squares)


def _chunks(tensor: Tensor) -> Sequence[Tensor]:
    split: Any = torch.split
    return (tensor,) if tensor.numel() <= _CHUNK else split(tensor.reshape(-1), _CHUNK)


def _values(parameter: Tensor) -> Tensor:
    """The values of a parameter's gradient; the stored ones of a sparse gradient."""
    assert parameter.grad is not None
    gradient = local(parameter.grad, parameter)
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _scattered(indices: list[int], size: int, values: Tensor, zero: Tensor) -> Tensor:
    """A vector of a size with the values at the indices, and zeros elsewhere."""
    scattered = [zero] * size
    for index, value in zip(indices, values.unbind(), strict=True):
        scattered[index] = value
    return torch.stack(scattered)


def _nonfinite(part: Part, faulty: list[int]) -> dict[int, int]:
    """How many values of these gradients are not finite."""
    if not faulty:
        return {}
    gradients = [_values(part.parameters[i]) for i in faulty]
    counts = torch.stack([(~torch.isfinite(gradient)).sum() for gradient in gradients])
    (numbers,) = read([reduced(counts.double(), part.sharding)])
    return {i: int(count) for i, count in zip(faulty, numbers, strict=True)}


def _zeros(part: Part) -> Tensor:
    device = local(part.parameters[0]).device
    return torch.zeros(4 * len(part.indices), dtype=torch.float64, device=device)


def _flagged(vector: Tensor, failed: bool) -> Tensor:
    return torch.cat([vector, vector.new_full((1,), float(failed))])
