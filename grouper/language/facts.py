"""The facts of a parameter that selectors and values may use."""

from __future__ import annotations

from math import prod

from grouper.language.value_errors import Undefined, UnknownFact
from grouper.model.inventory import Parameter
from grouper.options.values import Value
from grouper.text.source import Span

FACTS = ("ndim", "numel", "shape", "dtype", "fan_in", "fan_out")


def fact(name: str, parameter: Parameter, span: Span | None) -> Value:
    """A fact of a parameter; sizes are in elements.

    Raises UnknownFact where the model's file does not record it, and Undefined where the parameter
    has no such fact.
    """
    if name == "dtype":
        if parameter.dtype is None:
            raise UnknownFact(f"the dtype of `{parameter.name}` is not known", span)
        return parameter.dtype
    shape = parameter.shape
    if shape is None:
        raise UnknownFact(f"the shape of `{parameter.name}` is not known", span)
    if name == "ndim":
        return len(shape)
    if name == "numel":
        return prod(shape)
    if name == "shape":
        return tuple(shape)
    return _fan(name, shape, parameter, span)


def size(parameter: Parameter, index: int, span: Span | None) -> Value:
    """`shape[index]`, negative indexes from the end. Raises as `fact` does."""
    shape = fact("shape", parameter, span)
    assert isinstance(shape, tuple)
    if not -len(shape) <= index < len(shape):
        raise Undefined(
            f"`shape[{index}]` is undefined for `{parameter.name}`, which has"
            f" {len(shape)} dimension" + "s" * (len(shape) != 1),
            span,
            f"select tensors with more dimensions: `ndim >= {index + 1 if index >= 0 else -index}"
            " and ...`",
        )
    return shape[index]


def _fan(name: str, shape: tuple[int, ...], parameter: Parameter, span: Span | None) -> int:
    """torch.nn.init._calculate_fan_in_and_fan_out: inputs or outputs times the receptive field,
    for tensors of two dimensions or more."""
    if len(shape) < 2:
        raise Undefined(
            f"`{name}` is undefined for `{parameter.name}`, which has {len(shape)} dimension"
            + "s" * (len(shape) != 1),
            span,
            "select tensors of two dimensions or more: `ndim >= 2 and ...`",
        )
    return (shape[1] if name == "fan_in" else shape[0]) * prod(shape[2:])
