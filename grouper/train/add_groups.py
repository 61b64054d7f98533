"""A running optimizer gets the groups of what was thawed."""

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
from grouper.train.param_groups import bound, tensors_of


def extend(
    optimizer: Optimizer, model: nn.Module, grouping: Grouping, rules: ruleset.RuleSet
) -> tuple[str, ...]:
    """Add the groups that the optimizer does not have; their names (see api.add_groups)."""
    while isinstance(wrapped := getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = wrapped  # Lightning's and Accelerate's own
    tensors = tensors_of(model, grouping)
    count = len(optimizer.param_groups)
    for group in grouping.groups[:count]:
        _refuse_another(optimizer, group, tensors)
    added: dict[str, list[Group]] = {}
    for group in grouping.groups[count:]:
        added.setdefault(group.optimizer or "", []).append(group)
    declared = rules.optimizers_by_name
    ready = [
        _enlarged(_member(optimizer, name, grouping), groups, tensors, declared.get(name))
        for name, groups in added.items()
    ]
    several = isinstance(optimizer, ChainedOptimizer)
    for name, (made, state) in zip(added, ready, strict=True):
        for new in made:
            for tensor in new["params"]:
                tensor.requires_grad_(True)
            optimizer.add_param_group({**new, "optimizer": name} if several else new)
        _member(optimizer, name, grouping).state.update(state)
    return tuple(group.name for group in grouping.groups[count:])


def _enlarged(
    optimizer: Optimizer,
    groups: list[Group],
    tensors: dict[str, nn.Parameter],
    declared: ruleset.Optimizer | None,
) -> tuple[list[dict[str, Any]], dict[Tensor, Any]]:
    """New groups as an optimizer's class makes them, and their first state.

    A whole optimizer is built for that: torch checks, and makes Adagrad's state, only there.
    """
    taken = inspect.signature(type(optimizer).__init__).parameters
    options = {key: value for key, value in optimizer.defaults.items() if key in taken}
    whole = [
        *map(dict[str, Any], optimizer.param_groups),
        *(bound(group, tensors) for group in groups),
    ]
    built = construct(type(optimizer), whole, {**options, **(declared.options if declared else {})})
    new = built.param_groups[-len(groups) :]
    return new, {t: built.state[t] for g in new for t in g["params"] if t in built.state}


def _member(optimizer: Optimizer, name: str, grouping: Grouping) -> Optimizer:
    """The optimizer to which groups of a name go, in one that runs."""
    if isinstance(optimizer, ChainedOptimizer):
        if name in optimizer.members:
            return optimizer.members[name]
    elif name == (grouping.groups[0].optimizer or ""):
        return optimizer
    raise ValueError(
        f"the running optimizer has no `{name}`, to which thawed groups go: build another one from"
        " the report, and `load_optimizer_state(new, old.state_dict())`"
    )


def _refuse_another(optimizer: Optimizer, group: Group, tensors: dict[str, nn.Parameter]) -> None:
    due = {id(tensors[parameter.name]) for parameter in group.parameters}
    for present in optimizer.param_groups:
        if present.get("name") == group.name and {id(t) for t in present["params"]} == due:
            return
    raise ValueError(
        f"the optimizer does not have the report's group `{group.name}` of this model's parameters:"
        " build it from the report that is then thawed"
    )
