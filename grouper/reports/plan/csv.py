"""The plan as CSV: one line per step, exact to the last bit."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from grouper.text.printable import visible
from grouper.train.plan import Plan

AT_ONCE = 10_000  # steps


def plan_csv(plan: Plan, stride: int = 1) -> Iterator[str]:
    """The text in pieces, with a line for each step: `step`, `epoch`, then `lr NAME` for every
    group and `momentum NAME` for those that have one.

    No cell starts with a name, so that a spreadsheet never reads one as a formula (`=...`), and
    characters of a name that are not printable are escaped. Numbers are written as by Python and
    can be read back as the same float.
    """
    columns = [
        *((group.name, "lr") for group in plan.groups),
        *((group.name, "momentum") for group in plan.groups if group.momentum is not None),
    ]
    head = ["step", "epoch", *(f"{key} {visible(name)}" for name, key in columns)]
    yield _lines([head])
    steps = strided(plan, stride)
    for first in range(0, len(steps), AT_ONCE):
        some = steps[first : first + AT_ONCE]
        values = plan.over(some)
        epochs = [step // plan.steps_per_epoch for step in some]
        yield _lines(zip(some, epochs, *(values[name][key] for name, key in columns), strict=True))


def strided(plan: Plan, stride: int) -> list[int]:
    """Every `stride`-th step of the run, and its last step."""
    steps = list(range(0, plan.steps, stride))
    return steps if steps[-1] == plan.steps - 1 else [*steps, plan.steps - 1]


def _lines(rows: object) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()
