"""Whether rules give the groups that they are written for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from grouper.api.check import check
from grouper.api.rules import parse
from grouper.generate.init.settings import GroupToWrite
from grouper.group.group import options_key
from grouper.model.inventory import Inventory
from grouper.options.signatures import signature
from grouper.options.values import Value
from grouper.text.findings import Severity


def unlike(text: str, inventory: Inventory, groups: Sequence[GroupToWrite]) -> str | None:
    """How the groups of a text differ from those that it is to give; None where they do not."""
    rules = parse(text)
    report = check(inventory, rules)
    known = {finding.message for finding in inventory.findings}
    errors = [f for f in report.findings if f.severity is Severity.ERROR]
    for error in errors:
        if error.message not in known:
            return error.message
    if report.grouping is None:
        return "there are no groups"
    defaults = {o.key: _defaults(o.name) for o in rules.optimizers}
    formed = Counter(
        (
            frozenset(p.name for p in group.parameters),
            options_key({**defaults.get(group.optimizer or "", {}), **group.options}),
        )
        for group in report.grouping.groups
    )
    trained = {p.name for p in inventory.parameters if p.trainable is not False}
    wanted = Counter(
        (
            frozenset(trained.intersection(group.parameters)),
            options_key({**_defaults_of(group, defaults), **group.options}),
        )
        for group in groups
    )
    if formed == wanted:
        return None
    missing = next(iter(wanted - formed), None)
    return f"{len(wanted)} groups are wanted, {len(formed)} formed; first missing: {missing}"


def _defaults_of(
    group: GroupToWrite, defaults: Mapping[str, Mapping[str, Value]]
) -> Mapping[str, Value]:
    return defaults.get(group.optimizer or "", {})


def _defaults(name: str) -> Mapping[str, Value]:
    known = signature(name)
    return known.defaults if known is not None else {}
