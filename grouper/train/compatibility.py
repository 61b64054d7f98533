"""Checks that an optimizer's parameter groups match a plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim import Optimizer

from grouper.model.wrappers import bare_names
from grouper.text.fold import folded_list
from grouper.text.printable import count_phrase, quoted_list

if TYPE_CHECKING:
    from grouper.train.group_schedule import GroupSchedule
    from grouper.train.plan_protocol import PlanProtocol

Groups = Sequence[Mapping[str, Any]]
MOST_PATTERNS = 3  # of parameters, in a message
SAME_RULES = "; build both from the same rules and model"
BY_NAME = (
    "torch's `load_state_dict` goes by position: restore with `grouper.load_optimizer_state`,"
    " which goes by name and keeps the options that the rules set"
)


def match_groups(plan: PlanProtocol, optimizer: Optimizer) -> tuple[GroupSchedule, ...]:
    """The plan's schedule of each group of the optimizer, in the optimizer's order.

    Groups without any name, as `names=False` makes them, are the plan's in its order.
    Raises ValueError where the groups have other names than the plan's, or other parameters
    (compared by name where the optimizer has names, otherwise by number).
    """
    groups = optimizer.param_groups
    nameless = not any("name" in group for group in groups)
    if nameless and sizes(groups) == [len(schedule.parameters) for schedule in plan.groups]:
        return tuple(plan.groups)
    by_name = {schedule.name: schedule for schedule in plan.groups}
    _refuse_names([group.get("name") for group in groups], list(by_name), groups)
    schedules = tuple(by_name[group["name"]] for group in groups)
    _refuse_parameters(schedules, groups)
    return schedules


def check_lrs(schedules: Iterable[GroupSchedule], groups: Groups) -> None:
    """Raises ValueError where an optimizer was built with another lr than the plan's."""
    for schedule, group in zip(schedules, groups, strict=True):
        built = group.get("initial_lr", group["lr"])
        rounding = 1e-2 if isinstance(built, Tensor) else 0.0  # bfloat16 has three digits
        if not math.isclose(float(built), schedule.lr, rel_tol=rounding):
            raise ValueError(
                f"the optimizer was built from other rules: its group `{schedule.name}` has"
                f" lr={float(built):g} and the plan has lr={schedule.lr:g}{SAME_RULES}; and"
                f" {BY_NAME}"
            )


def check_momentum_declared(schedules: Iterable[GroupSchedule], groups: Groups) -> None:
    """Raises ValueError where momentum is to be warmed up and the rules do not set its value."""
    for schedule, group in zip(schedules, groups, strict=True):
        if schedule.warmup_momentum is None or schedule.momentum is not None:
            continue
        keys = ("momentum", "betas")
        present = next((f"{key}={group[key]}" for key in keys if group.get(key)), None)
        if present is not None:
            raise ValueError(
                f"the rules warm up the momentum of the group `{schedule.name}` and do not set it:"
                f" write `{present}`, the optimizer's own value, into the `optimizer` statement or"
                " a rule"
            )


def group_of_each_tensor(
    schedules: Iterable[GroupSchedule], optimizer: Optimizer
) -> dict[int, str]:
    """The name of the group of each tensor; `schedules` are those of the groups."""
    pairs = zip(schedules, optimizer.param_groups, strict=True)
    return {id(tensor): schedule.name for schedule, group in pairs for tensor in group["params"]}


def check_not_reordered(before: Mapping[int, str], optimizer: Optimizer) -> None:
    """Raises ValueError where tensors moved to groups of other names: a saved state was loaded by
    position."""
    for group in optimizer.param_groups:
        name = group.get("name")
        was = next((before[id(t)] for t in group["params"] if id(t) in before), name)
        if name is not None and was != name:
            raise ValueError(
                f"the parameters of the group `{was}` are in the group `{name}` since a state was"
                f" loaded: {BY_NAME}"
            )


def sizes(groups: Groups) -> list[int]:
    """The number of parameters of each group."""
    return [len(group["params"]) for group in groups]


def _refuse_names(present: Sequence[object], planned: list[str], groups: Groups) -> None:
    unnamed = [_members(group) for group in groups if group.get("name") is None]
    missing = [name for name in planned if name not in present]
    unplanned = [name for name in present if name is not None and name not in planned]
    repeated = [name for name in planned if present.count(name) > 1]
    problems = [f"it has a group without a name ({members})" for members in unnamed]
    if missing:
        problems.append(f"it has no group {quoted_list(missing)}")
    if unplanned:
        problems.append(f"the plan has no group {quoted_list(unplanned)}")
    if repeated:
        problems.append(f"it has {quoted_list(repeated)} more than once")
    if problems:
        raise ValueError(
            f"the optimizer's groups are not the plan's: {'; '.join(problems)}{SAME_RULES}"
        )


def _members(group: Mapping[str, Any]) -> str:
    names = group.get("param_names")
    return folded_list(names, MOST_PATTERNS) if names else count_phrase(group["params"], "tensor")


def _refuse_parameters(schedules: Iterable[GroupSchedule], groups: Groups) -> None:
    every = [name for group in groups for name in group.get("param_names", ())]
    bare = dict(zip(every, bare_names(every), strict=True))
    for schedule, group in zip(schedules, groups, strict=True):
        if not schedule.parameters:
            continue
        if "param_names" in group:
            problems = _other_names(schedule.parameters, group["param_names"], bare)
        else:
            problems = _other_count(schedule.parameters, group["params"])
        if problems:
            raise ValueError(
                f"the optimizer's group `{schedule.name}` {' and '.join(problems)}{SAME_RULES}"
            )


def _other_names(
    planned: Sequence[str], present: Sequence[str], bare: Mapping[str, str]
) -> list[str]:
    if set(present) == set(planned):
        return []
    names = {bare[name] for name in present}
    more = sorted(names - set(planned))
    less = [name for name in planned if name not in names]
    problems = (
        [f"has {folded_list(more, MOST_PATTERNS)}, which the plan does not have"] if more else []
    )
    return problems + ([f"lacks {folded_list(less, MOST_PATTERNS)}"] if less else [])


def _other_count(planned: Sequence[str], present: Sequence[Tensor]) -> list[str]:
    if len(present) == len(planned):
        return []
    return [f"has {count_phrase(present, 'tensor')} and the plan's has {len(planned)}"]
