"""The table of groups as values: the options that all groups of an optimizer share, and a row for
each family of groups.

Options that differ have a column; options that an optimizer's groups share are shown once, above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isclose, prod

from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language.ruleset import Optimizer, RuleSet, plan_text
from grouper.match.assignment import Assignment, ParameterAssignment
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.values import Value, rounded_text, same, value_text
from grouper.reports.families import Entry, Row, rows
from grouper.text.dataclass import dataclass, replace
from grouper.text.printable import visible

LR = "lr"
OPTIMIZER = "optimizer"
_QUOTED_WORD = re.compile(r'(?<==)"(\w+)"')


@dataclass(frozen=True)
class Shared:
    """What the groups of an optimizer share: `AdamW`, `lr=0.001 betas=(0.9, 0.999)`."""

    optimizer: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class GroupTable:
    """`keys` are the options that have a column, lr first and those of the plan last; `plan` are
    the statements that schedule the rates."""

    shared: tuple[Shared, ...]
    plan: tuple[str, ...]
    keys: tuple[str, ...]
    rows: tuple[Row, ...]


def group_table(
    entries: Sequence[Entry], rules: RuleSet | None = None, exact: bool = False
) -> GroupTable:
    """The table of these groups; the rules give the optimizers and their declared options."""
    declared = rules.optimizers_by_name if rules else {}
    of: dict[str | None, list[Entry]] = {}
    for entry in entries:
        of.setdefault(entry.optimizer, []).append(entry)
    common = {name: _common(members, declared.get(name or "")) for name, members in of.items()}
    columns = _columns(entries, common, several=len(of) > 1)
    text = value_text if exact else rounded_text
    shared = []
    for name, options in common.items():
        optimizer = declared.get(name or "")
        base = {LR: optimizer.options[LR]} if optimizer and LR in optimizer.options else {}
        above = {k: v for k, v in {**base, **options}.items() if k not in columns or k in base}
        words = tuple((key, visible(text(value))) for key, value in above.items())
        if optimizer or words:
            shared.append(Shared(_words(name, optimizer), words))
    in_columns = [replace(entry, options=_own(entry, columns)) for entry in entries]
    return GroupTable(tuple(shared), _plan(rules), columns, tuple(rows(in_columns, exact)))


def _plan(rules: RuleSet | None) -> tuple[str, ...]:
    statements = plan_text(rules) if rules else []
    return tuple(_QUOTED_WORD.sub(r"\1", visible(each)) for each in statements)


def entries_of(grouping: Grouping, assignment: Assignment | None = None) -> list[Entry]:
    """The groups of a report; with their assignment, also the factors of their rates."""
    parameters = assignment.parameters if assignment else ()
    assigned = {id(one.parameter): one for one in parameters}
    return [
        Entry(
            group.name,
            [parameter.name for parameter in group.parameters],
            sum(parameter.numel or 0 for parameter in group.parameters),
            {**group.options, **group.plan},
            group.optimizer,
            _factor(group, assigned),
        )
        for group in grouping.groups
    ]


def _factor(group: Group, assigned: Mapping[int, ParameterAssignment]) -> float | None:
    """The product of the factors by which rules multiply the group's lr, if there is only one."""
    members = {id(a.options): a for p in group.parameters if (a := assigned.get(id(p)))}
    products: set[float] = set()
    for member in members.values():
        if not same(member.options.get(LR), group.options.get(LR)):
            return None  # `thaw(lr=...)` changed it
        factors = [
            setting.value
            for setting in member.settings
            if setting.option.key == LR and setting.option.operator == "*="
        ]
        if not factors:
            return None
        products.add(prod(f for f in factors if isinstance(f, int | float)))
    first = next(iter(products), None)
    return first if all(isclose(first or 0, other) for other in products) else None


def _common(entries: Sequence[Entry], optimizer: Optimizer | None) -> dict[str, Value]:
    """The options other than lr that are equal in all of these groups; for a single group, those
    that the optimizer declares."""
    first, *others = entries
    return {
        key: value
        for key, value in first.options.items()
        if key != LR
        and all(key in other.options and same(other.options[key], value) for other in others)
        and (others or (optimizer and key in optimizer.options))
    }


def _columns(
    entries: Iterable[Entry], common: Mapping[str | None, Mapping[str, Value]], several: bool
) -> tuple[str, ...]:
    keys = dict.fromkeys(
        key for entry in entries for key in entry.options if key not in common[entry.optimizer]
    )
    ordered = sorted(keys, key=lambda key: (key != LR, key in PLAN_KEYS))
    return (*ordered, *([OPTIMIZER] if several else []))


def _own(entry: Entry, columns: Sequence[str]) -> dict[str, Value]:
    """The options of a group that have a column."""
    options = {**entry.options, OPTIMIZER: entry.optimizer}
    return {key: options[key] for key in columns if key in options}


def _words(name: str | None, optimizer: Optimizer | None) -> str:
    if optimizer is None:
        return visible(f"all groups of {name}" if name else "all groups")
    return visible(f"{optimizer.name} as {optimizer.alias}" if optimizer.alias else optimizer.name)
