"""What the rules ask of a group's plan cannot be done.

A group may have a warm-up and a schedule of its own (`warmup_steps`, `schedule`, `final`, ...), and
takes what it does not say from the file's `warmup` and `schedule`. Both have to fit together.

    head.* -> head schedule=step                      # bad: of which `size`?
    *.bias -> bias warmup_steps=10 warmup_epochs=1    # bad: which of them?

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
    """What is wrong with a group's plan: the keys that say it, in words, and what to do."""

    keys: tuple[str, ...]
    what: str
    help: str


def check(context: Context) -> Iterator[Finding]:
    """One finding for each fault, at the rules that ask for it, with all groups that it spoils."""
    found: dict[tuple[Fault, tuple[Span, ...]], list[Group]] = {}
    for group in context.grouping.groups:
        faults = [*_faults(context.rules.schedule or Schedule(), group.plan)]
        for fault in (*faults, *_window_faults(context, group)):
            key = fault, _spans(context, group, fault.keys)
            found.setdefault(key, []).append(group)
    for (fault, spans), groups in found.items():
        named = ", ".join(f"`{group.name}`" for group in groups)
        labels = tuple(label for span in spans for label in labels_at(span))
        parameters = all_names([parameter for group in groups for parameter in group.parameters])
        message = f"{named}: {fault.what}"
        yield Finding(CODE, message, labels, parameters, help=fault.help)


def _faults(schedule: Schedule, plan: Mapping[str, Value]) -> Iterator[Fault]:
    lengths = tuple(key for key in LENGTHS if key in plan)
    if len(lengths) > 1:
        yield Fault(lengths, f"a warm-up has one length, not {len(lengths)}", "keep one of them")
    for bounds in WINDOW:
        if set(bounds) <= plan.keys():
            what = "an end of a window is counted in epochs or in steps, not in both"
            yield Fault(bounds, what, "keep one of them")
    chosen = plan.get("schedule")
    own = dict(chosen.options) if isinstance(chosen, Configured) else {}
    name = str(chosen.name if isinstance(chosen, Configured) else chosen or schedule.name)
    kind = SCHEDULES[name]
    options = own if chosen is not None else dict(schedule.options)
    if "final" in plan and "final" in own:
        what = "`final` is given beside the schedule and among its options"
        yield Fault(("final", "schedule"), what, "keep one of them")
    if "final" in plan and "final" not in kind.options:
        yield Fault(
            ("final",),
            f"the schedule `{name}` has no `final`",
            "remove it, or use a schedule that ends somewhere, such as `linear`",
        )
        return
    if "final" in plan:
        # In a group, `final` says in another way what the file's other option says.
        options = {k: v for k, v in options.items() if k not in (kind.exactly_one or ())}
        options["final"] = plan["final"]
    missing = kind.missing_option(options)  # type: ignore[arg-type]
    if missing is not None:
        first = (kind.exactly_one or ("",))[0]
        help = f"give the schedule its options: `schedule={name}({first}=...)`"
        yield Fault(("schedule", "final"), missing, help)
    elif name == "exponential" and options.get("final") == 0:
        what = "an `exponential` schedule needs a `final` above 0"
        yield Fault(("final", "schedule"), what, "add `final=0.01` to the rule")


def _window_faults(context: Context, group: Group) -> Iterator[Fault]:
    """A window where the group's optimizer does not stand still at an lr of 0."""
    declared = context.optimizers.get(group.optimizer or "")
    given = {**(declared.plan if declared else {}), **group.plan}
    keys = tuple(key for bounds in WINDOW for key in bounds if key in given)
    why = why_no_window(declared.name) if declared and keys else None
    if declared and why:
        what = (
            f"a window needs an optimizer that stands still at an lr of 0: `{declared.name}` {why}"
        )
        help = "use another optimizer; what trains later can be frozen until then, and unfrozen"
        yield Fault(keys, what, help)


def _spans(context: Context, group: Group, keys: tuple[str, ...]) -> tuple[Span, ...]:
    """Where the rules of a group's parameters set the keys, the last of them first."""
    members = {id(parameter) for parameter in group.parameters}
    declared = context.optimizers.get(group.optimizer or "")
    found = {
        setting.option.span
        for assigned in context.assignment.parameters
        if id(assigned.parameter) in members
        for setting in assigned.settings
        if setting.effective and setting.option.key in keys and setting.option.span
    }
    if not found and declared is not None:
        found = {declared.spans[key] for key in keys if key in declared.spans}
    return tuple(sorted(found, key=lambda span: span.start, reverse=True))
