"""Rules to begin with, for programs: `grouper.init`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grouper.api.check import Model
from grouper.api.rules import parse
from grouper.generate.init.first import first_rules
from grouper.generate.init.reproduce import rules_of
from grouper.generate.init.text import Use
from grouper.language.ruleset import RuleSet
from grouper.model.inventory import Inventory
from grouper.text.arguments import is_module, require_module

if TYPE_CHECKING:
    from grouper.train.types import Optimizer


def init(model: Model, *, optimizer: Optimizer | None = None) -> RuleSet:
    """Rules to begin with, which `print` shows as text to save and edit.

    For a model, a first set: head, decay, optimizer, warm-up and schedule by what the model is, so
    that `check` has nothing to say. With the `optimizer` of a live model, the rules that give
    exactly the groups that it has: the same parameters and options in each. `grouper init` writes
    the same with comments.

    `model` is an nn.Module, an Inventory, or the path of a model file. Raises OSError and
    grouper.ModelError as `check` does, and ValueError where nothing of the model trains, or where
    no rules give the optimizer's groups: a parameter is in two, or none of its tensors is the
    model's.
    """
    if optimizer is not None:
        from grouper.model.live import inventory_of
        from grouper.train.read_groups import read_groups

        require_module("model", model, "the nn.Module that the optimizer trains")
        inventory = inventory_of(model)  # type: ignore[arg-type]
        groups = read_groups([optimizer], model, inventory)  # type: ignore[arg-type]
        return parse(rules_of(inventory, groups, Use()))
    return parse(first_rules(_inventory(model), Use()))


def _inventory(model: Model) -> Inventory:
    if isinstance(model, Inventory):
        return model
    if (not is_module(model) and isinstance(model, str)) or hasattr(model, "__fspath__"):
        from grouper.model.read import read

        return read(str(model))
    require_module("model", model, "an nn.Module, an Inventory, or the path of a model file")
    from grouper.model.live import inventory_of

    return inventory_of(model)  # type: ignore[arg-type]
