"""A warm-up starts far above its target lr.

The SGD recipe of YOLO starts biases at 0.1. With Adam and similar optimizers, every step moves a
parameter by about the lr, so 0.1 is far too large. Weights start below their lr with any optimizer.

    optimizer AdamW lr=1e-3
    *.bias -> bias warmup_start=0.1             # bad
    *.bias -> bias warmup_start=0               # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.module_kinds import Kind, last_part
from grouper.checks.rule_edits import with_option
from grouper.checks.trained import Trained, place_of
from grouper.group.group import Group
from grouper.options.values import rounded_text
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR322", "high-warmup-start", Severity.WARNING, __doc__ or "")

ADAPTIVE = ("Adam", "Lion", "RMSprop", "Adagrad", "Adadelta", "Muon", "Prodigy", "Adafactor")
MOST = 10  # times the lr, for an optimizer with normalised steps


def check(context: Context) -> Iterator[Finding]:
    """One finding for each option or statement that starts a warm-up far above the lr."""
    starts = {id(group): _start(context, group) for group in context.grouping.groups}
    by_option: dict[object, list[Trained]] = {}
    for one in context.trained if any(starts.values()) else ():
        start = starts[id(one.group)]
        lr = one.number("lr") if start else None
        if lr and start > lr and _is_high(context, one, start, lr):
            setting = one.setting("warmup_start")
            by_option.setdefault(id(setting.option) if setting else None, []).append(one)
    for members in by_option.values():
        yield _finding(context, members)


def _start(context: Context, group: Group) -> float:
    """The lr at which a group's warm-up starts; 0 where it has none."""
    warmup = context.rules.warmup
    own = group.plan.get("warmup_start")
    start = own if own is not None else warmup.start if warmup is not None else None
    return float(start) if isinstance(start, int | float) else 0.0


def _is_high(context: Context, one: Trained, start: float, lr: float) -> bool:
    """Whether a start above the lr is too high for the parameter."""
    is_weight = one.kind is not Kind.BIAS and last_part(one.name) == "weight"
    if is_weight and (one.parameter.ndim or 1) >= 2:
        return True
    declared = context.optimizers.get(one.group.optimizer or "")
    adaptive = declared is not None and any(word in declared.name for word in ADAPTIVE)
    return adaptive and start > MOST * lr


def _finding(context: Context, members: list[Trained]) -> Finding:
    first = members[0]
    setting, warmup = first.setting("warmup_start"), context.rules.warmup
    start = first.group.plan.get("warmup_start", warmup.start if warmup is not None else 0)
    declared = context.optimizers.get(first.group.optimizer or "")
    name = f" with {declared.name}" if declared is not None else ""
    lr = rounded_text(first.value("lr"))
    labels = place_of(setting.rule, "warmup_start") if setting is not None else ()
    if setting is None and warmup is not None:
        labels = labels_at(warmup.span)
    return Finding(
        CODE,
        f"warm-up starts {count_phrase(members)} at {rounded_text(start)},"  # type: ignore[arg-type]
        f" above the target lr of {lr}{name} (`warmup_start`)",
        labels,
        tuple(one.name for one in members),
        help="start below it: `warmup_start=0`; only SGD recipes start biases above the lr",
        candidates=(with_option(setting.rule, "warmup_start=0"),) if setting is not None else (),
    )
