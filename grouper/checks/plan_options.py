"""The options for a group's plan are incomplete or contradict each other.

A group may have its own warm-up and schedule (`warmup_steps`, `schedule`, `final`, ...), and takes
other options from the file's `warmup` and `schedule`. The combination must be valid.

    head.* -> head schedule=step                      # bad: `size` is missing
    *.bias -> bias warmup_steps=10 warmup_epochs=1    # bad: two lengths

    head.* -> head schedule=step(size=30)             # good
    *.bias -> bias warmup_steps=10
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from grouper.checks.context import Context, all_names
from grouper.group.group import Group
from grouper.language.ruleset import Schedule
from grouper.options.closed_windows import why_no_window
from grouper.options.plan_keys import WINDOW
from grouper.options.schedules import SCHEDULES
from grouper.options.values import Configured, Value
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.source import Span

CODE = Code("GR210", "impossible-plan", Severity.ERROR, __doc__ or "")

LENGTHS = "warmup_epochs", "warmup_steps", "warmup_share"


class Fault(NamedTuple):
    """A problem with a group's plan: the keys involved, a description, and what to do."""

    keys: tuple[str, ...]
    what: str
    help: str


def check(context: Context) -> Iterator[Finding]:
    """One finding for each fault, at the options that cause it, with all affected groups."""
    by_fault: dict[tuple[Fault, tuple[Span, ...]], list[Group]] = {}
    for group in context.grouping.groups:
        faults = [*_faults(context.rules.schedule or Schedule(), group.plan)]
        for fault in (*faults, *_window_faults(context, group)):
            key = fault, _spans(context, group, fault.keys)
            by_fault.setdefault(key, []).append(group)
    for (fault, spans), groups in by_fault.items():
        names = ", ".join(f"`{group.name}`" for group in groups)
        labels = tuple(label for span in spans for label in labels_at(span))
        parameters = all_names([parameter for group in groups for parameter in group.parameters])
        message = f"{names}: {fault.what}"
        yield Finding(CODE, message, labels, parameters, help=fault.help)


def _faults(schedule: Schedule, plan: Mapping[str, Value]) -> Iterator[Fault]:
    lengths = tuple(key for key in LENGTHS if key in plan)
    if len(lengths) > 1:
        yield Fault(lengths, f"a warm-up has one length, not {len(lengths)}", "keep one of them")
    for bounds in WINDOW:
        if set(bounds) <= plan.keys():
            what = "the start or end of a window is given in epochs or in steps, not in both"
            yield Fault(bounds, what, "keep one of them")
    group_schedule = plan.get("schedule")
    own = dict(group_schedule.options) if isinstance(group_schedule, Configured) else {}
    name = str(
        group_schedule.name
        if isinstance(group_schedule, Configured)
        else group_schedule or schedule.name
    )
    kind = SCHEDULES[name]
    options = own if group_schedule is not None else dict(schedule.options)
    if "final" in plan and "final" in own:
        what = "`final` is given twice: as an option of the rule and of its schedule"
        yield Fault(("final", "schedule"), what, "keep one of them")
    if "final" in plan and "final" not in kind.options:
        yield Fault(
            ("final",),
            f"the schedule `{name}` has no `final`",
            "remove it, or use a schedule with a final value, such as `linear`",
        )
        return
    if "final" in plan:
        # In a group, `final` replaces the alternative option of the file's schedule.
        options = {k: v for k, v in options.items() if k not in (kind.exactly_one or ())}
        options["final"] = plan["final"]
    missing = kind.missing_option(options)  # type: ignore[arg-type]
    if missing is not None:
        first = (kind.exactly_one or ("",))[0]
        help = f"add the option to the schedule: `schedule={name}({first}=...)`"
        yield Fault(("schedule", "final"), missing, help)
    elif name == "exponential" and options.get("final") == 0:
        what = "an `exponential` schedule needs a `final` above 0"
        yield Fault(("final", "schedule"), what, "add `final=0.01` to the rule")


def _window_faults(context: Context, group: Group) -> Iterator[Fault]:
    """A fault for a window if the group's optimizer still moves parameters at an lr of 0."""
    declared = context.optimizers.get(group.optimizer or "")
    plan = {**(declared.plan if declared else {}), **group.plan}
    keys = tuple(key for bounds in WINDOW for key in bounds if key in plan)
    why = why_no_window(declared.name) if declared and keys else None
    if declared and why:
        what = (
            "a window needs an optimizer that does not move parameters at an lr of 0:"
            f" `{declared.name}` {why}"
        )
        help = "use another optimizer, or freeze the parameters and unfreeze them later"
        yield Fault(keys, what, help)


def _spans(context: Context, group: Group, keys: tuple[str, ...]) -> tuple[Span, ...]:
    """The places where the keys are set for a group, the last one first."""
    members = {id(parameter) for parameter in group.parameters}
    declared = context.optimizers.get(group.optimizer or "")
    spans = {
        setting.option.span
        for assigned in context.assignment.parameters
        if id(assigned.parameter) in members
        for setting in assigned.settings
        if setting.effective and setting.option.key in keys and setting.option.span
    }
    if not spans and declared is not None:
        spans = {declared.spans[key] for key in keys if key in declared.spans}
    return tuple(sorted(spans, key=lambda span: span.start, reverse=True))
