"""The facts of a parameter on which selectors depend, as values that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeAlias

from grouper.match.asked import Asked
from grouper.match.classes import ancestors, owner_path
from grouper.model.inventory import Inventory, Module, Parameter

Ask: TypeAlias = Callable[[Parameter], Hashable]


def facts_asked(inventory: Inventory, asked: Asked) -> list[Ask]:
    """One function for each fact; what the inventory does not know is left out."""
    asks: list[Ask] = []
    if asked.facts & {"numel", "shape", "fan_in", "fan_out"}:
        asks.append(lambda parameter: parameter.shape)
    elif "ndim" in asked.facts:
        asks.append(lambda parameter: parameter.ndim)
    if "dtype" in asked.facts:
        asks.append(lambda parameter: parameter.dtype)
    if "trainable" in asked.facts:
        asks.append(lambda parameter: parameter.trainable)
    if inventory.modules is not None and "above" in asked.facts:
        asks.append(_of_owner(inventory, inventory.modules, above=True))
    elif inventory.modules is not None and "class" in asked.facts:
        asks.append(_of_owner(inventory, inventory.modules, above=False))
    marks = inventory.marks
    for word in sorted(asked.marks) if marks is not None else ():
        carriers = marks.of(word) if marks is not None else None
        if carriers:
            asks.append(lambda parameter, names=carriers: parameter.name in names)  # type: ignore[misc]
    return asks


def _of_owner(inventory: Inventory, modules: Mapping[str, Module], above: bool) -> Ask:
    """The class of the owner, with its path's length and the classes of all modules above it."""
    by_path: dict[str, Hashable] = {}
    numbers: dict[Hashable, int] = {}

    def class_of(path: str) -> int:
        module = modules.get(path)
        if module is None:
            return -1
        unsure = module.bases is None or module.inferred
        known = module.cls, module.bases, module.inferred, unsure and path in inventory.holders
        return numbers.setdefault(known, len(numbers))

    def ask(parameter: Parameter) -> Hashable:
        name = parameter.names[0]
        start = name.rpartition(".")[0]
        found = by_path.get(start)
        if found is None:
            path = owner_path(name, modules)
            found = (len(path), *map(class_of, ancestors(path))) if above else class_of(path)
            by_path[start] = found
        return found

    return ask
