"""Builds the optimizers that the rules declare from their groups."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer

from grouper.group.grouping import Grouping
from grouper.language import ruleset
from grouper.text.printable import quoted_list
from grouper.train.chained_optimizer import ChainedOptimizer
from grouper.train.param_groups import ParamGroups
from grouper.train.resume.load_hook import load_by_name


def optimizer_of(groups: ParamGroups, grouping: Grouping, rules: ruleset.RuleSet) -> Optimizer:
    """The declared optimizer; where several are declared, a ChainedOptimizer of them.

    Raises ValueError where the rules declare none, where its class cannot be imported, and where
    the class refuses its options.
    """
    if not rules.optimizers:
        raise ValueError(
            "the rules do not name an optimizer: add a line such as `optimizer SGD lr=0.01`, or"
            " pass param_groups(...) to an optimizer that you construct"
        )
    if not groups:
        raise ValueError("the rules leave no parameter to train")
    members: dict[str, list[dict[str, Any]]] = {}
    for built, group in zip(groups, grouping.groups, strict=True):
        members.setdefault(group.optimizer or "", []).append(built)
    declared = rules.optimizers_by_name
    made = {name: _built(declared[name], members[name]) for name in declared if name in members}
    if len(made) == 1:
        optimizer = next(iter(made.values()))
    else:
        optimizer = ChainedOptimizer(made, [group.name for group in grouping.groups])
    load_by_name(optimizer, {key for group in grouping.groups for key in group.options})
    vars(optimizer)["unfreeze"] = groups.unfreeze  # torch's class does not declare it
    return optimizer


def _built(declared: ruleset.Optimizer, groups: list[dict[str, Any]]) -> Optimizer:
    return construct(class_of(declared.name), groups, declared.options)


def construct(cls: Any, groups: list[dict[str, Any]], options: Mapping[str, Any]) -> Optimizer:
    """`cls(groups, **options)`. Raises ValueError where the class refuses them.

    The rules' groups carry all of these options. Those that the class keeps as its own attributes,
    as MuSGD keeps `muon` and `sgd`, are removed from its groups, which do not have them otherwise.
    """
    name = getattr(cls, "__name__", str(cls))
    try:
        built = cls(groups, **options)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"`{name}` refuses its groups: {error}") from error
    except (AssertionError, KeyError, AttributeError) as error:
        raise ValueError(_refused_keys(name, groups, error)) from error
    if not isinstance(built, Optimizer):
        raise ValueError(f"`{name}` is not a torch optimizer")
    for key in options.keys() - built.defaults.keys():
        for group in built.param_groups:
            group.pop(key, None)
    return built


def _refused_keys(name: str, groups: list[dict[str, Any]], error: Exception) -> str:
    """The error of a class that refuses the keys of its groups, or the types of its tensors."""
    keys = quoted_list(dict.fromkeys(key for group in groups for key in group))
    first = str(error).strip().partition("\n")[0]
    said = f": {first}" if first else ""
    way = "; without the names that grouper adds: `names=False`" if "name" in groups[0] else ""
    return f"`{name}` refuses its groups ({type(error).__name__}{said}), whose keys are {keys}{way}"


def class_of(name: str) -> Any:
    """The class that an `optimizer` statement names: of torch.optim, or `package.module:Class`.

    Raises ValueError where it does not exist or cannot be imported.
    """
    if ":" not in name:
        cls = getattr(torch.optim, name, None)
        if isinstance(cls, type) and issubclass(cls, Optimizer):
            return cls
        raise ValueError(
            f"torch.optim has no optimizer `{name}`; write one of another package as"
            " `package.module:Class`"
        )
    module, _, path = name.partition(":")
    try:
        target: Any = importlib.import_module(module)
        for part in path.split("."):
            target = getattr(target, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"the optimizer `{name}` cannot be imported: {error}") from error
    return target
