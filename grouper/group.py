"""From the assignment to the groups: same labels and same options, one group."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grouper.assignment import Assigned, Assignment
from grouper.grouping import Group, Grouping
from grouper.inventory.model import Parameter
from grouper.places import lr_place
from grouper.ruleset.model import PLAN_KEYS, RuleSet, Value

UNLABELLED = "default"


def group(assignment: Assignment) -> Grouping:
    """The groups of an assignment; what no rule matched is in none.

    Groups stand in the file order of their rules, parameters in the model's.
    """
    members: dict[object, list[Assigned]] = {}
    rank = {id(rule): index for index, rule in enumerate(assignment.rules.rules)}
    for assigned in assignment.parameters:
        if assigned.matches and not assigned.frozen and not assigned.unmatched_in:
            key = (assigned.labels, _key(assigned.options))
            members.setdefault(key, []).append(assigned)
    ordered = sorted(
        members.values(),
        key=lambda group: min(tuple(rank[id(m.rule)] for m in a.matches) for a in group),
    )
    names: dict[str, int] = {}
    groups = tuple(_group(assigned, names, assignment.rules) for assigned in ordered)
    frozen = tuple(a.parameter for a in assignment.parameters if a.frozen)
    return Grouping(groups, frozen)


def _group(assigned: list[Assigned], names: dict[str, int], rules: RuleSet) -> Group:
    labels, options = assigned[0].labels, assigned[0].options
    base = "/".join(labels) or UNLABELLED
    names[base] = names.get(base, 0) + 1
    name = base if names[base] == 1 else f"{base}#{names[base]}"
    default = next((o.alias or o.name for o in rules.optimizers), None)
    chosen = options.get("optimizer", default)
    return Group(
        name,
        labels,
        _only(options, False),
        _only(options, True),
        tuple(a.parameter for a in assigned),
        chosen if isinstance(chosen, str) else None,
        lr_place(assigned, rules),
    )


def _only(options: Mapping[str, Value], plan: bool) -> Mapping[str, Value]:
    return MappingProxyType(
        {k: v for k, v in options.items() if (k in PLAN_KEYS) == plan and k != "optimizer"}
    )


def _key(options: Mapping[str, Value]) -> object:
    """Options as a value that tells `true` from 1, whatever the order of the keys."""
    return frozenset((key, isinstance(value, bool), value) for key, value in options.items())


def members_of(grouping: Grouping, label: str) -> tuple[Parameter, ...]:
    """The parameters of every group that has a label."""
    return tuple(p for group in grouping.groups if label in group.labels for p in group.parameters)
