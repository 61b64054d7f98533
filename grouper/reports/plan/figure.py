"""The plan as a PNG or SVG figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grouper.reports.figure import draw, drawing, legend, rendered, sheet, short
from grouper.reports.plan.axis import rates
from grouper.reports.plan.key_steps import key_steps
from grouper.reports.plan.tracks import Track, moving_momentum
from grouper.text.printable import visible
from grouper.train.plan import Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAMPLES = 1000
EDGES = 500  # up to this many epochs, their first and last steps are drawn exactly


def plan_figure(plan: Plan, tracks: Sequence[Track], format: str) -> bytes:
    """lr, and momentum if it changes, over the steps, as a `png` or `svg` file.

    Equal plans give equal bytes. Raises ImportError if matplotlib is not installed.
    """
    steps = _steps(plan)
    values = plan.over(steps)
    moving = moving_momentum(tracks)
    with drawing():
        labels = [_label(track) for track in tracks]
        figure = sheet(9, 6 if moving else 4.5, labels)
        panels = figure.subplots(
            2 if moving else 1, squeeze=False, sharex=True,
            height_ratios=(3, 1) if moving else None,
        )[:, 0]  # fmt: skip
        _draw(panels[0], plan, steps, [values[track.groups[0]]["lr"] for track in tracks], "lr")
        _scale(panels[0], tracks, values)
        if moving:
            curves = [values[track.groups[0]]["momentum"] for track in moving]
            _draw(panels[1], plan, steps, curves, "momentum")
        panels[-1].set_xlabel("step")
        legend(figure, panels[0], labels)
        return rendered(figure, format)


def _steps(plan: Plan) -> list[int]:
    last = plan.steps - 1
    some = {round(i * last / SAMPLES) for i in range(SAMPLES + 1)}
    turns = {key_step.step for key_step in key_steps(plan, 0)}
    edges: set[int] = set()
    if plan.epochs <= EDGES:
        starts = range(0, plan.steps, plan.steps_per_epoch)
        edges = {step for start in starts for step in (start, start - 1) if step > 0}
    return sorted({0, last} | some | turns | edges)


def _draw(panel: Axes, plan: Plan, steps: list[int], curves: list[list[float]], word: str) -> None:
    draw(panel, steps, curves, word)
    for length in {g.warmup_steps for g in plan.groups if 0 < g.warmup_steps < plan.steps}:
        panel.axvline(length, color="gray", linewidth=0.8, linestyle=":")


def _scale(panel: Axes, tracks: Sequence[Track], values: dict[str, dict[str, list[float]]]) -> None:
    curves = [values[track.groups[0]]["lr"] for track in tracks]
    scale = rates(curves, [track.schedule.lr for track in tracks])
    if scale.log:
        panel.set_yscale("log", nonpositive="clip")
        panel.set_ylim(scale.low, scale.high * 1.2)
    else:
        panel.set_ylim(0, scale.high * 1.05)


def _label(track: Track) -> str:
    return short(", ".join(map(visible, track.groups)))
