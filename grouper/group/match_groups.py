"""Saved groups with the names that a model has for their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grouper.group.match_by_order import match_by_order
from grouper.group.optimizer_groups import OptimizerGroup, OptimizerGroups
from grouper.model.contents.saved_groups import SavedGroup, SavedGroups, SavedTensor
from grouper.model.inventory import Inventory, Parameter
from grouper.model.wrappers import bare_names
from grouper.options.values import Value


def match_groups(saved: Sequence[SavedGroups], inventory: Inventory) -> tuple[OptimizerGroups, ...]:
    """The groups of each optimizer by the model's names; where it has no names, by the order and
    the shapes of its tensors. Tensors that cannot be matched are strays."""
    return tuple(_matched(one, inventory) for one in saved)


def _matched(saved: SavedGroups, inventory: Inventory) -> OptimizerGroups:
    tensors = [tensor for group in saved.groups for tensor in group.tensors]
    if tensors and all(tensor.name is not None for tensor in tensors):
        known = _by_name([str(tensor.name) for tensor in tensors], inventory)
        groups = tuple(_named(group, known) for group in saved.groups)
        return OptimizerGroups(groups, True, saved.optimizer)
    shapes = [[tensor.shape for tensor in group.tensors] for group in saved.groups]
    decays = [_number(group.options.get("weight_decay")) for group in saved.groups]
    divided = match_by_order(shapes, decays, inventory)
    if divided is None:
        strays = tuple(OptimizerGroup(g.options, (), g.tensors) for g in saved.groups)
        return OptimizerGroups(strays, False, saved.optimizer)
    groups = tuple(
        OptimizerGroup(group.options, tuple(parameter.name for parameter in members))
        for group, members in zip(saved.groups, divided, strict=True)
    )
    filled = [group for group in shapes if group]
    guessed = len(filled) > 1 and any(shape is None for group in filled for shape in group)
    return OptimizerGroups(groups, False, saved.optimizer, guessed=guessed)


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _by_name(names: Sequence[str], inventory: Inventory) -> Mapping[str, Parameter]:
    """The parameter of each name in an optimizer: one of that name, or of the name without what
    wrappers added to it.
    """
    bare = dict(zip(names, bare_names(names), strict=True))
    by_name = {**{p.stored: p for p in inventory.parameters}, **inventory.by_name}
    found = {name: by_name.get(name) or by_name.get(bare[name]) for name in names}
    return {name: parameter for name, parameter in found.items() if parameter is not None}


def _named(group: SavedGroup, known: Mapping[str, Parameter]) -> OptimizerGroup:
    found: list[str] = []
    strays: list[SavedTensor] = []
    for tensor in group.tensors:
        parameter = known.get(tensor.name or "")
        if parameter is None or _differ(parameter.shape, tensor.shape):
            strays.append(tensor)
        else:
            found.append(parameter.name)
    return OptimizerGroup(group.options, tuple(found), tuple(strays))


def _differ(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> bool:
    return one is not None and other is not None and one != other
