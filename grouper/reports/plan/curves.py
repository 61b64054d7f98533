"""The plan as curves on the terminal: the lr of each track, and momentum if it changes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from grouper.reports.output import drawing_columns
from grouper.reports.plan.axis import Steps, Values, rates, steps_of
from grouper.reports.plan.braille import ASCII, Canvas, ink_for
from grouper.reports.plan.table import color
from grouper.reports.plan.tracks import Track, moving_momentum
from grouper.train.plan import Plan

MARGIN = 9  # columns for the labels of values
MOST = 12  # curves in one drawing
HEIGHTS = {"lr": 12, "momentum": 5}
Curve = tuple[int, Track, list[float]]  # number of the track, the track, its values


def print_curves(plan: Plan, tracks: Sequence[Track], out: Console) -> None:
    """Print lr, and momentum if it changes, as wide as the terminal."""
    ink = ink_for(out.encoding)
    axis = steps_of(plan)
    canvas_width = max(drawing_columns(out) - MARGIN - 3, 10)
    sampled = axis.sampled(canvas_width * ink.across)
    candidates = _spread(tracks)
    values = plan.over(sampled)
    moving = moving_momentum(track for _, track in candidates)
    for key in ("lr", "momentum"):
        selection = [(i, track) for i, track in candidates if key == "lr" or track in moving]
        if not selection:
            continue
        curves = [(index, track, values[track.groups[0]][key]) for index, track in selection]
        scale = _scale(key, curves)
        canvas = Canvas(canvas_width, HEIGHTS[key], ink)
        _draw(canvas, curves, scale)
        out.print()
        out.print(_title(key, selection, tracks, scale, axis))
        for line in _framed(canvas, scale, axis):
            out.print(line, soft_wrap=True)


def _spread(tracks: Sequence[Track]) -> list[tuple[int, Track]]:
    """Every track, or evenly spaced ones including the first and the last."""
    numbered = list(enumerate(tracks))
    if len(numbered) <= MOST:
        return numbered
    return [numbered[round(i * (len(numbered) - 1) / (MOST - 1))] for i in range(MOST)]


def _scale(key: str, curves: Sequence[Curve]) -> Values:
    values = [curve for _, _, curve in curves]
    if key == "lr":
        return rates(values, [track.schedule.lr for _, track, _ in curves])
    return Values(min(map(min, values)), max(map(max, values)))


def _draw(canvas: Canvas, curves: Sequence[Curve], scale: Values) -> None:
    """Draw the curves, each with its mark repeated along it, to tell them apart without colours."""
    placed = [(i, track, [scale.place(v) for v in values]) for i, track, values in curves]
    for index, _, places in placed:
        canvas.curve(places, color(index))
    if len(placed) == 1:
        return
    gap = max(2, min(6, canvas.width // (3 * len(placed))))
    for number, column in enumerate(range(1, canvas.width, gap)):
        index, track, places = placed[number % len(placed)]
        middle = min(column * canvas.ink.across, len(places) - 1)
        canvas.mark(column, places[middle], track.mark, f"bold {color(index)}")


def _title(
    key: str,
    selection: Sequence[tuple[int, Track]],
    tracks: Sequence[Track],
    scale: Values,
    axis: Steps,
) -> Text:
    notes = []
    if scale.log:
        notes.append("logarithmic")
    if key == "lr" and len(selection) < len(tracks):
        notes.append(f"{len(selection)} of {len(tracks)} curves drawn")
    if axis.warmup_end:
        notes.append("warm-up drawn wider")
    remarks = f"  ({', '.join(notes)})" if notes else ""
    return Text.assemble((f"{key:>{MARGIN}}", "bold"), (remarks, "dim"))


def _framed(canvas: Canvas, scale: Values, axis: Steps) -> list[Text]:
    """The drawing with its axes and their labels."""
    side, line, corner, tick = "|-++" if canvas.ink is ASCII else "│─└┴"
    labels = {canvas.row_of(scale.place(t)): f"{t:.3g}" for t in scale.ticks(canvas.height // 2)}
    lines = [
        Text.assemble((f"{labels.get(row, ''):>{MARGIN}} {side}", "dim"), line_of_dots)
        for row, line_of_dots in enumerate(canvas.lines())
    ]
    columns = {round(axis.place(s) * (canvas.width - 1)): s for s in _ticks(axis)}
    rule = "".join(tick if x in columns and x else line for x in range(canvas.width))
    lines.append(Text(f"{'':>{MARGIN}} {corner}{rule}", "dim"))
    lines.append(Text(_labels(columns, canvas.width), "dim"))
    return lines


def _ticks(axis: Steps) -> list[int]:
    end = [axis.warmup_end] if axis.warmup_end else []
    return [0, *end, axis.total // 2, axis.last]


def _labels(columns: dict[int, int], width: int) -> str:
    """The steps below their ticks, where there is room."""
    start = MARGIN + 2
    text = f"{'step':>{MARGIN}}"
    for column, step in sorted(columns.items()):
        label = f"{step:,}"
        left = min(start + column - len(label) // 2, start + width - len(label))
        left = max(left, start)
        if left > len(text):
            text = f"{text:<{left}}{label}"
    return text
