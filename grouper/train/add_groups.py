"""Adds the groups of unfrozen parameters to an optimizer that is in use."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language import ruleset as ruleset
from grouper.train.build_optimizer import construct
from grouper.train.chained_optimizer import ChainedOptimizer
from grouper.train.data_parallel import check_buckets
from grouper.train.param_groups import bound
from grouper.train.part import Part, part_of
from grouper.train.wrapped import torch_optimizer


def extend(
    optimizer: Optimizer,
    model: nn.Module,
    grouping: Grouping,
    rules: ruleset.RuleSet,
    prefix: str | None = None,
) -> tuple[str, ...]:
    """Add the groups that the optimizer does not have; their names (see api.add_groups)."""
    optimizer = torch_optimizer(optimizer)
    part = part_of(model, grouping, prefix)
    grouping = part.grouping
    count = len(optimizer.param_groups)
    for group in grouping.groups[:count]:
        _check_present(optimizer, group, part)
    added = [parameter for group in grouping.groups[count:] for parameter in group.parameters]
    check_buckets({p.name: part.tensor(p) for p in added}, {}, running=True)
    by_optimizer: dict[str, list[Group]] = {}
    for group in grouping.groups[count:]:
        by_optimizer.setdefault(group.optimizer or "", []).append(group)
    declared = rules.optimizers_by_name
    additions = [
        _constructed(_member(optimizer, name, grouping), groups, part, declared.get(name))
        for name, groups in by_optimizer.items()
    ]
    chained = isinstance(optimizer, ChainedOptimizer)
    for name, (groups, state) in zip(by_optimizer, additions, strict=True):
        for new in groups:
            for tensor in new["params"]:
                tensor.requires_grad_(True)
            optimizer.add_param_group({**new, "optimizer": name} if chained else new)
        _member(optimizer, name, grouping).state.update(state)
    return tuple(group.name for group in grouping.groups[count:])


def _constructed(
    optimizer: Optimizer,
    groups: list[Group],
    part: Part,
    declared: ruleset.Optimizer | None,
) -> tuple[list[dict[str, Any]], dict[Tensor, Any]]:
    """New groups as the optimizer's class makes them, and their first state.

    A second optimizer is built from copies of all groups for that: torch checks groups, and makes
    Adagrad's state, only in the constructor.
    """
    taken = inspect.signature(type(optimizer).__init__).parameters
    options = {key: value for key, value in optimizer.defaults.items() if key in taken}
    every_group = [
        *map(dict[str, Any], optimizer.param_groups),
        *(bound(group, part) for group in groups),
    ]
    of_rules = declared.options if declared else {}
    built = construct(type(optimizer), every_group, {**options, **of_rules})
    new = built.param_groups[-len(groups) :]
    return new, {t: built.state[t] for g in new for t in g["params"] if t in built.state}


def _member(optimizer: Optimizer, name: str, grouping: Grouping) -> Optimizer:
    """The optimizer, or the member of a chained one, that trains the groups of a name."""
    if isinstance(optimizer, ChainedOptimizer):
        if name in optimizer.members:
            return optimizer.members[name]
    elif name == (grouping.groups[0].optimizer or ""):
        return optimizer
    raise ValueError(
        f"the running optimizer has no `{name}`, to which unfrozen groups go: build another one"
        " from the report, and `load_optimizer_state(new, old.state_dict())`"
    )


def _check_present(optimizer: Optimizer, group: Group, part: Part) -> None:
    expected = {id(part.tensor(parameter)) for parameter in group.parameters}
    for present in optimizer.param_groups:
        if present.get("name") != group.name:
            continue
        if {id(tensor) for tensor in present["params"]} == expected:
            return
    raise ValueError(
        f"the optimizer does not have the report's group `{group.name}` of this model's parameters:"
        " build it from the report on which `unfreeze` is then called"
    )
