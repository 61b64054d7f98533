"""The source of a schedule's factor: the schedule's own function and calls to it."""

from __future__ import annotations

import inspect
import re

from grouper.options.schedules import SCHEDULES
from grouper.reports.python.layout import Brackets, Code, literal
from grouper.train.curve import Curve, Run


def factor_source(name: str) -> str:
    """The function `NAME_factor` of a schedule, copied from grouper."""
    source = inspect.getsource(SCHEDULES[name].function).rstrip()
    return source.replace(f"def {name}(", f"def {name}_factor(", 1)


def imports_of(source: str) -> tuple[str, ...]:
    """The import lines that the functions of schedules need."""
    lines = []
    if re.search(r"\bmath\.", source):
        lines.append("import math")
    if "bisect_right(" in source:
        lines.append("from bisect import bisect_right")
    return tuple(lines)


def factor_arguments(curve: Curve, warmup_end: int, run: Run) -> tuple[Code, ...]:
    """The arguments of a schedule's function at a step."""
    kind = SCHEDULES[curve.schedule.name]
    time, total = ("step", "steps") if curve.by_step else ("epoch", "EPOCHS")
    whole = total
    if curve.after_warmup and warmup_end >= run.steps:  # the warm-up fills the run
        time = total = whole = "1"
    elif curve.after_warmup:
        begin = str(warmup_end) if curve.by_step else f"{warmup_end} / STEPS_PER_EPOCH"
        time, total = f"max({time} - {begin}, 0)", f"{total} - {begin}"
    elif curve.lag:
        end = warmup_end if curve.by_step else warmup_end // run.steps_per_epoch
        time = f"late({time}, {end}, {curve.lag})"
    own = [key for key in kind.own if key in curve.schedule.options]
    options = [_argument(key, curve.schedule.options[key]) for key in own]
    return (time, total, *options, *([f"whole={whole}"] if kind.of_whole_run else []))


def _argument(key: str, value: object) -> Code:
    if isinstance(value, tuple) and len(value) > 1:
        return Brackets(f"{key}=(", tuple(map(literal, value)), ")")
    return f"{key}={literal(value)}"
