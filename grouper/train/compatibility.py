"""Whether an optimizer's groups are those of a plan; the refusal says which are not, and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim import Optimizer

from grouper.model.wrappers import bare_names
from grouper.text.fold import fold

if TYPE_CHECKING:
    from grouper.train.group_schedule import GroupSchedule
    from grouper.train.plan import Plan

Groups = Sequence[Mapping[str, Any]]
SAME_RULES = "; build both from the same rules and model"
BY_NAME = (
    "torch's `load_state_dict` goes by position: restore with `grouper.load_optimizer_state`,"
    " which goes by name and leaves the options as the rules have them"
)


def match_groups(plan: Plan, optimizer: Optimizer) -> tuple[GroupSchedule, ...]:
    """The plan's course for each group of the optimizer, in the optimizer's order.

    Raises ValueError where the groups are not the plan's by their names, or have other parameters
    (names where the optimizer has them, else their number).
    """
    groups = optimizer.param_groups
    by_name = {course.name: course for course in plan.groups}
    _refuse_names([group.get("name") for group in groups], list(by_name), groups)
    courses = tuple(by_name[group["name"]] for group in groups)
    _refuse_parameters(courses, groups)
    return courses


def check_lrs(courses: Iterable[GroupSchedule], groups: Groups) -> None:
    """Raises ValueError where an optimizer was built with another lr than the plan's."""
    for course, group in zip(courses, groups, strict=True):
        built = group.get("initial_lr", group["lr"])
        rounding = 1e-2 if isinstance(built, Tensor) else 0.0  # bfloat16 has three digits
        if not math.isclose(float(built), course.lr, rel_tol=rounding):
            raise ValueError(
                f"the optimizer was built from other rules: its group `{course.name}` has"
                f" lr={float(built):g} and the plan has lr={course.lr:g}{SAME_RULES}; and {BY_NAME}"
            )


def check_momentum_declared(courses: Iterable[GroupSchedule], groups: Groups) -> None:
    """Raises ValueError where momentum is to be warmed up, and the rules do not say to what."""
    for course, group in zip(courses, groups, strict=True):
        if course.warmup_momentum is None or course.momentum is not None:
            continue
        own = next((f"{key}={group[key]}" for key in ("momentum", "betas") if group.get(key)), None)
        if own is not None:
            raise ValueError(
                f"the rules warm up the momentum of the group `{course.name}` and do not say what"
                f" it is: write `{own}`, as the optimizer has it, into the `optimizer` statement or"
                " a rule"
            )


def group_of_each_tensor(optimizer: Optimizer) -> dict[int, str]:
    """The name of the group that each tensor is in."""
    groups = optimizer.param_groups
    return {id(tensor): group["name"] for group in groups for tensor in group["params"]}


def check_not_reordered(before: Mapping[int, str], optimizer: Optimizer) -> None:
    """Raises ValueError where tensors have come into groups of other names: a saved state was
    loaded by position."""
    for tensor, name in group_of_each_tensor(optimizer).items():
        if before.get(tensor, name) != name:
            raise ValueError(
                f"the parameters of the group `{before[tensor]}` are in the group `{name}` since a"
                f" state was loaded: {BY_NAME}"
            )


def _refuse_names(present: Sequence[object], planned: list[str], groups: Groups) -> None:
    missing = [name for name in planned if name not in present]
    strange = [
        _called(group) for name, group in zip(present, groups, strict=True) if name not in planned
    ]
    twice = [name for name in planned if present.count(name) > 1]
    said = []
    if missing:
        said.append("it lacks " + ", ".join(f"`{name}`" for name in missing))
    if strange:
        said.append("the plan knows nothing of " + ", ".join(strange))
    if twice:
        said.append("it has " + ", ".join(f"`{name}`" for name in twice) + " more than once")
    if said:
        raise ValueError(
            f"the optimizer's groups are not the plan's: {'; '.join(said)}{SAME_RULES}"
        )


def _called(group: Mapping[str, Any]) -> str:
    if group.get("name") is not None:
        return f"`{group['name']}`"
    names = group.get("param_names")
    held = _listed(names) if names else f"{len(group['params'])} parameters"
    return f"a group without a name ({held})"


def _refuse_parameters(courses: Iterable[GroupSchedule], groups: Groups) -> None:
    every = [name for group in groups for name in group.get("param_names", ())]
    bare = dict(zip(every, bare_names(every), strict=True))
    for course, group in zip(courses, groups, strict=True):
        if not course.parameters:
            continue
        if "param_names" in group:
            held = set(group["param_names"])
            if held == set(course.parameters):
                continue
            held = {bare[name] for name in held}
            more = [name for name in held if name not in course.parameters]
            less = [name for name in course.parameters if name not in held]
            said = [f"has {_listed(sorted(more))}, which the plan has not"] if more else []
            said += [f"lacks {_listed(less)}"] if less else []
        else:
            count, due = len(group["params"]), len(course.parameters)
            said = [f"has {count} parameters and the plan's has {due}"] if count != due else []
        if said:
            raise ValueError(
                f"the optimizer's group `{course.name}` {' and '.join(said)}{SAME_RULES}"
            )


def _listed(names: Sequence[str]) -> str:
    patterns = fold(names)
    shown = ", ".join(f"`{pattern}`" for pattern in patterns[:3])
    return shown + (f" and {len(patterns) - 3} more patterns" if len(patterns) > 3 else "")
