"""The plan as a picture. The only file that imports matplotlib, which is an optional extra."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from grouper.planning import Plan
from grouper.reports.plan.axis import rates
from grouper.reports.plan.telling import moments
from grouper.reports.plan.tracks import Track, momentum_of
from grouper.reports.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
SAMPLES = 1000
EDGES = 500  # epochs whose first and last steps are drawn exactly
LONGEST = 60  # characters of a label
ROW = 130  # characters of the legend in a line
SETTINGS = {"svg.hashsalt": "grouper", "svg.fonttype": "none"}
MARKERS = "osD^v<>Pp*hX"


def plan_picture(plan: Plan, shown: Sequence[Track], format: str) -> bytes:
    """lr, and momentum where it moves, as a PNG or SVG file; the same bytes for the same plan.

    Raises ImportError where matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    steps = _steps(plan)
    values = plan.over(steps)
    moving = _moving(shown)
    with _settings():
        labels = [_label(track) for track in shown]
        columns = max(1, min(6, ROW // (max(map(len, labels)) + 8)))
        height = (6 if moving else 4.5) + 0.17 * (len(labels) // columns)
        figure = Figure(figsize=(9, height), layout="constrained")
        panels = figure.subplots(
            2 if moving else 1, squeeze=False, sharex=True,
            height_ratios=(3, 1) if moving else None,
        )[:, 0]  # fmt: skip
        _draw(panels[0], plan, steps, [(t, values[t.groups[0]]["lr"]) for t in shown], "lr")
        _scale(panels[0], shown, values)
        if moving:
            curves = [(t, values[t.groups[0]]["momentum"]) for t in moving]
            _draw(panels[1], plan, steps, curves, "momentum")
        panels[-1].set_xlabel("step")
        _legend(figure, panels[0], labels, columns)
        file = BytesIO()
        metadata = {"Date": None, "Creator": None} if format == "svg" else {"Software": None}
        figure.savefig(file, format=format, dpi=150, metadata=metadata)
    return file.getvalue()


@contextmanager
def _settings() -> Iterator[None]:
    """matplotlib's own defaults, whatever the user's are, and no words on letters it lacks."""
    import matplotlib.style

    with matplotlib.style.context(["default", SETTINGS]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _steps(plan: Plan) -> list[int]:
    last = plan.steps - 1
    some = {round(i * last / SAMPLES) for i in range(SAMPLES + 1)}
    turns = {moment.step for moment in moments(plan, 0)}
    edges: set[int] = set()
    if plan.epochs <= EDGES:
        starts = range(0, plan.steps, plan.steps_per_epoch)
        edges = {step for start in starts for step in (start, start - 1) if step > 0}
    return sorted({0, last} | some | turns | edges)


def _moving(shown: Sequence[Track]) -> list[Track]:
    if not any(track.moves for track in shown):
        return []
    alike = {momentum_of(t.course): t for t in reversed(shown) if t.course.momentum is not None}
    return list(reversed(alike.values()))


def _draw(
    panel: Axes, plan: Plan, steps: list[int], curves: list[tuple[Track, list[float]]], word: str
) -> None:
    """Each curve with a marker of its own here and there, for those who see no colours."""
    panel.set_ylabel(word)
    panel.grid(alpha=0.3)
    panel.margins(x=0.01)
    for number, (_, curve) in enumerate(curves):
        apart = max(len(steps) // 12, 1)
        marker = MARKERS[number % len(MARKERS)] if len(curves) > 1 else ""
        panel.plot(
            steps, curve, linewidth=1.5, marker=marker, markersize=4,
            color=None if len(curves) > 1 else "dimgray",
            markevery=(number * apart // len(curves), apart),
        )  # fmt: skip
    for length in {c.warmup_steps for c in plan.courses if 0 < c.warmup_steps < plan.steps}:
        panel.axvline(length, color="gray", linewidth=0.8, linestyle=":")


def _scale(panel: Axes, shown: Sequence[Track], values: dict[str, dict[str, list[float]]]) -> None:
    curves = [values[track.groups[0]]["lr"] for track in shown]
    scale = rates(curves, [track.course.lr for track in shown])
    if scale.log:
        panel.set_yscale("log", nonpositive="clip")
        panel.set_ylim(scale.low, scale.high * 1.2)
    else:
        panel.set_ylim(0, scale.high * 1.05)


def _legend(figure: Figure, panel: Axes, labels: Sequence[str], columns: int) -> None:
    """The groups' names; matplotlib would take `$x$` for a formula and leave `_x` out."""
    lines = panel.get_lines()[: len(labels)]
    unnamed = ["?"] * len(labels)
    legend = figure.legend(
        lines, unnamed, loc="outside upper left", ncols=columns, frameon=False, fontsize=8
    )
    for line, label in zip(legend.get_texts(), labels, strict=True):
        line.set_text(label)
        line.set_parse_math(False)


def _label(track: Track) -> str:
    label = ", ".join(map(visible, track.groups))
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 3]}..."
