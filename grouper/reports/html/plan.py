"""A plan as HTML: a description of the run, a table at key steps, and the curves as a picture."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from grouper.reports.html.elements import Element, code, element, joined, table
from grouper.reports.html.report import findings_html
from grouper.reports.plan.figure import plan_figure
from grouper.reports.plan.key_steps import key_steps
from grouper.reports.plan.table import in_words, number
from grouper.reports.plan.tracks import NOTHING_TO_TRAIN, Track, moving_momentum, tracks_of
from grouper.train.plan import Plan

MOST_STEPS = 8  # columns of the table
MOST_TRACKS = 40


def plan_html(plan: Plan) -> Element:
    """The output of `grouper plan` as HTML, with the findings on the plan.

    Without matplotlib, there is no picture.
    """
    tracks = tracks_of(plan)
    if not tracks:
        return joined([element("p", NOTHING_TO_TRAIN), findings_html(plan.findings)])
    words = [element("div", code(line)) for line in in_words(plan, tracks)]
    return joined(
        [*words, _table(plan, tracks), _picture(plan, tracks), findings_html(plan.findings)]
    )


def _table(plan: Plan, tracks: Sequence[Track]) -> Element:
    columns = key_steps(plan, MOST_STEPS)
    steps = [column.step for column in columns]
    values = plan.over(steps)
    head = ["", "group", *(f"step {step:,}" for step in steps)]
    rows = [
        [
            code(track.mark),
            joined(element("div", code(name)) for name in track.groups),
            *map(number, values[track.groups[0]]["lr"]),
        ]
        for track in tracks[:MOST_TRACKS]
    ]
    rows += [
        ["", f"momentum of {track.mark}", *map(number, values[track.groups[0]]["momentum"])]
        for track in moving_momentum(tracks)[:MOST_TRACKS]
    ]
    parts = [table(head, rows, frozenset(range(2, len(head))))]
    if len(tracks) > MOST_TRACKS:
        parts.append(element("p", f"and {len(tracks) - MOST_TRACKS:,} more curves"))
    return joined(parts)


def _picture(plan: Plan, tracks: Sequence[Track]) -> Element:
    """The picture of `grouper plan --plot` as an image, so that no script in it can run."""
    try:
        drawing = plan_figure(plan, tracks, "svg")
    except ImportError:
        return element("p", "pip install matplotlib for the curves")
    except (ArithmeticError, ValueError):
        return element("p", "the numbers are too large or too small for matplotlib")
    source = f"data:image/svg+xml;base64,{b64encode(drawing).decode()}"
    style = "max-width: 100%; background: white"
    return Element(f'<img alt="lr and momentum" style="{style}" src="{source}">')
