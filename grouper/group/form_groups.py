"""From the assignment to the groups: same labels and same options, one group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from grouper.group.grouping import FrozenGroup, Group, Grouping, options_key, unique
from grouper.group.lr_origin import lr_place
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment, ParameterAssignment
from grouper.model.inventory import Parameter
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.values import Value

UNLABELLED = "default"


def group(assignment: Assignment) -> Grouping:
    """The groups of an assignment; what no rule matched is in none.

    Groups stand in the file order of their rules, parameters in the model's.
    """
    rank = {id(rule): index for index, rule in enumerate(assignment.rules.rules)}
    trained = [a for a in assignment.parameters if a.matches and not a.frozen]
    names: set[str] = set()
    groups = tuple(
        _group(assigned, unique(_base(assigned[0]), names), assignment.rules)
        for assigned in _alike((a for a in trained if not a.uncovered_splits), rank)
    )
    frozen = tuple(a.parameter for a in assignment.parameters if a.frozen)
    unmatched = tuple(
        a.parameter for a in assignment.parameters if a.uncovered_splits and not a.frozen
    )
    return Grouping(groups, frozen, _held(assignment, rank), unmatched=unmatched)


def _held(assignment: Assignment, rank: Mapping[int, int]) -> tuple[FrozenGroup, ...]:
    """The groups that what the rules freeze would be; `thaw` names them for good."""
    held = [a for a in assignment.parameters if any(m.rule.freezes for m in a.matches)]
    return tuple(
        FrozenGroup(_group(assigned, _base(assigned[0]), assignment.rules), assigned[0].conflicts)
        for assigned in _alike(held, rank)
    )


def _alike(
    parameters: Iterable[ParameterAssignment], rank: Mapping[int, int]
) -> list[list[ParameterAssignment]]:
    """Those with the same labels and options together, in the file order of their rules."""
    members: dict[object, list[ParameterAssignment]] = {}
    for assigned in parameters:
        key = (assigned.labels, assigned.conflicts, options_key(assigned.options))
        members.setdefault(key, []).append(assigned)
    return sorted(
        members.values(),
        key=lambda group: min(tuple(rank[id(m.rule)] for m in a.matches) for a in group),
    )


def _base(assigned: ParameterAssignment) -> str:
    return "/".join(assigned.labels) or UNLABELLED


def _group(assigned: list[ParameterAssignment], name: str, rules: RuleSet) -> Group:
    labels, options = assigned[0].labels, assigned[0].options
    default = next((o.key for o in rules.optimizers), None)
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


def members_of(grouping: Grouping, label: str) -> tuple[Parameter, ...]:
    """The parameters of every group that has a label."""
    return tuple(p for group in grouping.groups if label in group.labels for p in group.parameters)
