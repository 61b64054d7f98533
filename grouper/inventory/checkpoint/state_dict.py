"""Plain state dicts: tensors by name, without classes.

A state dict does not say which tensors are buffers. Those that cannot be parameters are
told by their dtype, their names, or the names beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grouper.inventory.checkpoint.tensors import Tensor, mapping, tensor
from grouper.inventory.model import Inventory, Parameter
from grouper.inventory.wrappers import wrapping_prefix

_BUFFERS = frozenset(
    {
        "running_mean",
        "running_var",
        "num_batches_tracked",
        "inv_freq",
        "relative_position_index",
        "attn_mask",
        "position_ids",
        "anchors",
        "anchor_grid",
        "stride",
        "total_ops",
        "total_params",
    }
)


def tensors_of(value: Any) -> list[tuple[str, Tensor, Any]]:
    """The tensors of a dict by name, each with the value that it came from."""
    pairs = mapping(value) or ()
    return [(name, found, item) for name, item in pairs if (found := tensor(item)) is not None]


def is_state_dict(value: Any) -> bool:
    """Whether a value is a dict whose values are mostly tensors."""
    pairs = mapping(value)
    return bool(pairs) and 2 * len(tensors_of(value)) > len(pairs or ())


def inventory_of(value: Any) -> Inventory:
    """The inventory of a state dict."""
    return inventory_from(tensors_of(value))


def inventory_from(found: list[tuple[str, Tensor, Any]]) -> Inventory:
    """The inventory of tensors by name, as `tensors_of` gives them."""
    prefix = wrapping_prefix(name for name, _, _ in found)
    buffers = [name.removeprefix(prefix) for name, t, _ in found if is_buffer(name, t)]
    tied: dict[object, tuple[Tensor, list[str]]] = {}
    for name, facts, item in found:
        if not is_buffer(name, facts):
            tied.setdefault(facts.storage or id(item), (facts, []))[1].append(name)
    parameters = tuple(
        Parameter(
            tuple(name.removeprefix(prefix) for name in names),
            facts.shape,
            facts.dtype,
            facts.trains if facts.is_parameter else None,
            names[0],
            inferred=not facts.is_parameter,
        )
        for facts, names in tied.values()
    )
    return Inventory(
        parameters, None, kind="state dict", buffers=tuple(buffers), remarks=_remarks(buffers)
    )


def is_buffer(name: str, facts: Tensor) -> bool:
    """Whether a tensor is no parameter, as far as its name and dtype can tell."""
    if facts.is_parameter:
        return False
    trainable = facts.dtype is None or facts.dtype.startswith(("float", "bfloat", "complex"))
    return not trainable or name.rpartition(".")[2] in _BUFFERS


def _remarks(buffers: Iterable[str]) -> tuple[str, ...]:
    count = len(list(buffers))
    inferred = f"; {count} tensors are taken for buffers" if count else ""
    return (f"a state dict does not tell parameters from buffers{inferred}",)
