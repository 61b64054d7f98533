"""Whether the models of a checkpoint are alike, so that any of them will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from grouper.model.errors import ModelError
from grouper.model.inventory import Inventory

# Above these limits models count as different: comparing them would take longer than reading one.
MAX_MODELS = 4
MAX_PARAMETERS = 25_000

T = TypeVar("T")


def all_alike(one: Inventory, others: Sequence[T], read: Callable[[T], Inventory]) -> bool:
    """Whether all others have the same parameters, by name and shape; False if one is unreadable.

    Order, ties and frozen parameters do not matter: averages are often frozen.
    """
    if not others:
        return True
    if len(others) >= MAX_MODELS or len(one.parameters) > MAX_PARAMETERS:
        return False
    try:
        return all(_shapes(read(other)) == _shapes(one) for other in others)
    except ModelError:
        return False


def _shapes(inventory: Inventory) -> dict[str, tuple[int, ...] | None]:
    return {name: parameter.shape for name, parameter in inventory.by_name.items()}
