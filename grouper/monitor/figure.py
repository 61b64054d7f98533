"""A run as a figure: lr, update-to-weight ratio and norms of every group over the steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grouper.monitor.run import Run
from grouper.reports.figure import draw, drawing, legend, rendered, sheet, short
from grouper.text.printable import visible

MOST = 40  # groups in one figure
WIDE = 10.0  # the largest over the smallest number above which an axis is logarithmic
PANELS = {
    "lr": "lr",
    "update_ratio": "update / weight",
    "gradient_norm": "gradient norm",
    "weight_norm": "weight norm",
}


def run_picture(run: Run, format: str) -> bytes:
    """A PNG or SVG file of a run with at least one record; equal runs give equal bytes.

    Numbers that are not finite are gaps. Raises ImportError where matplotlib is not installed.
    """
    steps = [record.step for record in run.records]
    names = list(run.records[-1].groups)
    with drawing():
        drawn = names[:MOST]
        labels = [short(visible(name)) for name in drawn]
        figure = sheet(11, 7, labels)
        panels = figure.subplots(2, 2, sharex=True).flatten()
        for panel, (key, word) in zip(panels, PANELS.items(), strict=True):
            curves = [_curve(run, name, key) for name in drawn]
            draw(panel, steps, curves, word)
            if _wide(curves):
                panel.set_yscale("log", nonpositive="mask")
        for panel in panels[2:]:
            panel.set_xlabel("step")
        if len(names) > MOST:
            panels[2].set_title(f"the first {MOST} of {len(names):,} groups", fontsize=8)
        legend(figure, panels[0], labels)
        return rendered(figure, format)


def _curve(run: Run, name: str, key: str) -> list[float]:
    numbers = []
    for record in run.records:
        value = getattr(record.groups.get(name), key, None)
        numbers.append(value if value is not None and math.isfinite(value) else math.nan)
    return numbers


def _wide(curves: Sequence[Sequence[float]]) -> bool:
    numbers = [number for curve in curves for number in curve if number > 0]
    return bool(numbers) and max(numbers) / WIDE > min(numbers)
