"""From the assignment to the groups: same labels and same options, one group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from grouper.group.group import FrozenGroup, Group, options_key, unique
from grouper.group.grouping import Grouping
from grouper.group.lr_origin import lr_place
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment, ParameterAssignment
from grouper.model.inventory import Parameter
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.read_only import ReadOnly
from grouper.options.values import Value

UNLABELLED = "default"


def form_groups(assignment: Assignment) -> Grouping:
    """The groups of an assignment; what no rule matched is in none.

    Groups are in the file order of their rules, parameters in the model's.
    """
    names: set[str] = set()
    groups = tuple(
        _group(members, unique(_base_name(members[0]), names), assignment.rules)
        for members in _grouped(
            assignment, lambda a: bool(a.rules) and not a.frozen and not a.uncovered_splits
        )
    )
    frozen_groups = tuple(
        FrozenGroup(_group(members, _base_name(members[0]), assignment.rules), members[0].conflicts)
        for members in _grouped(assignment, lambda a: any(rule.freezes for rule in a.rules))
    )
    return Grouping(
        groups,
        _parameters(assignment, lambda a: a.frozen),
        frozen_groups,
        unmatched=_parameters(assignment, lambda a: bool(a.uncovered_splits) and not a.frozen),
    )


def _parameters(
    assignment: Assignment, belongs: Callable[[ParameterAssignment], bool]
) -> tuple[Parameter, ...]:
    """Those that belong, in the model's order."""
    alike = [alike for alike in assignment.treated_alike if belongs(alike[0])]
    return tuple(assigned.parameter for assigned in _in_order(assignment, alike))


def _in_order(
    assignment: Assignment, alike: Sequence[Sequence[ParameterAssignment]]
) -> list[ParameterAssignment]:
    """The members of several groups that are each in the model's order, in the model's order."""
    members = list(chain(*alike))
    if len(alike) > 1:
        order = assignment.order
        members.sort(key=lambda assigned: order[id(assigned.parameter)])
    return members


def _grouped(
    assignment: Assignment, belongs: Callable[[ParameterAssignment], bool]
) -> list[list[ParameterAssignment]]:
    """Those with the same labels and options together, in the file order of their rules."""
    ranks = {id(rule): index for index, rule in enumerate(assignment.rules.rules)}
    default = _default_optimizer(assignment.rules)
    members: dict[object, list[Sequence[ParameterAssignment]]] = {}
    first: dict[object, tuple[int, ...]] = {}
    for alike in assignment.treated_alike:
        if belongs(alike[0]):
            options = {"optimizer": default, **alike[0].options}
            key = (alike[0].labels, alike[0].conflicts, options_key(options))
            rules = tuple(ranks[id(rule)] for rule in alike[0].rules)
            members.setdefault(key, []).append(alike)
            first[key] = min(rules, first.get(key, rules))
    return [
        _in_order(assignment, members[key]) for key in sorted(members, key=lambda key: first[key])
    ]


def _default_optimizer(rules: RuleSet) -> str | None:
    return next((optimizer.key for optimizer in rules.optimizers), None)


def _base_name(assigned: ParameterAssignment) -> str:
    return "/".join(assigned.labels) or UNLABELLED


def _group(members: list[ParameterAssignment], name: str, rules: RuleSet) -> Group:
    labels, options = members[0].labels, members[0].options
    optimizer = options.get("optimizer", _default_optimizer(rules))
    return Group(
        name,
        labels,
        _part(options, of_plan=False),
        _part(options, of_plan=True),
        tuple(assigned.parameter for assigned in members),
        optimizer if isinstance(optimizer, str) else None,
        lr_place(members, rules),
    )


def _part(options: Mapping[str, Value], of_plan: bool) -> Mapping[str, Value]:
    """The options of the plan, or those of the optimizer."""
    return ReadOnly(
        {
            key: value
            for key, value in options.items()
            if (key in PLAN_KEYS) == of_plan and key != "optimizer"
        }
    )
