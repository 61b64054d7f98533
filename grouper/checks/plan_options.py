"""What the rules ask of a group's plan cannot be done.

A group may have a warm-up and a schedule of its own (`warmup_steps`, `schedule`, `final`, ...), and
takes what it does not say from the file's `warmup` and `schedule`. Both have to fit together.

    schedule linear final=0.01
    head.* -> head schedule=step                      # bad: a rule cannot give its `size`
    *.bias -> bias warmup_steps=10 warmup_epochs=1    # bad: which of them?

    schedule step size=30
    head.* -> head                                    # good
    else   -> body schedule=constant
    *.bias -> bias warmup_steps=10
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from grouper.checks.context import Context, all_names
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.group.group import Group
from grouper.language.ruleset import Schedule
from grouper.options.schedules import SCHEDULES
from grouper.options.values import Value
from grouper.text.source import Span

CODE = Code("GR210", "impossible-plan", Severity.ERROR, __doc__ or "")

LENGTHS = "warmup_epochs", "warmup_steps"


class Fault(NamedTuple):
    """What is wrong with a group's plan: the keys that say it, in words, and what to do."""

    keys: tuple[str, ...]
    what: str
    help: str


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each fault, at the rules that ask for it, with all groups that it spoils."""
    found: dict[tuple[Fault, tuple[Span, ...]], list[Group]] = {}
    for group in facts.grouping.groups:
        for fault in _faults(facts.rules.schedule or Schedule(), group.plan):
            key = fault, _spans(facts, group, fault.keys)
            found.setdefault(key, []).append(group)
    for (fault, spans), groups in found.items():
        named = ", ".join(f"`{group.name}`" for group in groups)
        labels = tuple(label for span in spans for label in labels_at(span))
        parameters = all_names([parameter for group in groups for parameter in group.parameters])
        message = f"{named}: {fault.what}"
        yield Finding(CODE, message, labels, parameters, help=fault.help)


def _faults(schedule: Schedule, plan: Mapping[str, Value]) -> Iterator[Fault]:
    if set(LENGTHS) <= set(plan):
        yield Fault(
            LENGTHS,
            "a warm-up is so many epochs long or so many steps, not both",
            "take one of them away",
        )
    name = str(plan.get("schedule", schedule.name))
    final = plan.get("final", schedule.options.get("final"))
    if "final" in plan and "final" not in SCHEDULES[name]:
        yield Fault(
            ("final",),
            f"the schedule `{name}` has no `final`",
            "take it away, or take a schedule that ends somewhere, such as `linear`",
        )
    elif name == "step" != schedule.name:
        yield Fault(
            ("schedule",),
            "a rule can choose `step` only where the file's schedule says its `size`",
            "write `schedule step size=...` in the file, and the others' schedules at their rules",
        )
    elif name == "exponential" and not final and (name != schedule.name or final == 0):
        yield Fault(
            ("final", "schedule"),
            "an `exponential` schedule needs a `final` above 0",
            "add `final=0.01` to the rule",
        )


def _spans(facts: Context, group: Group, keys: tuple[str, ...]) -> tuple[Span, ...]:
    """Where the rules of a group's parameters set the keys, the last of them first."""
    members = {id(parameter) for parameter in group.parameters}
    found = {
        setting.option.span
        for assigned in facts.assignment.parameters
        if id(assigned.parameter) in members
        for setting in assigned.settings
        if setting.effective and setting.option.key in keys and setting.option.span
    }
    return tuple(sorted(found, key=lambda span: span.start, reverse=True))
