"""The picture of a plan, for callers of the library."""

from __future__ import annotations

from pathlib import Path

from grouper.reports.plan.figure import plan_figure
from grouper.reports.plan.tracks import NOTHING_TO_TRAIN, tracks_of
from grouper.text.picture import Picture, format_of
from grouper.train.plan import Plan


def picture_of(plan: Plan, path: str | Path | None = None) -> Picture:
    """The picture of `grouper plan --plot`, also written to `path` if given. See Plan.plot."""
    format = "svg" if path is None else format_of(path)
    tracks = tracks_of(plan)
    if not tracks:
        raise ValueError(f"nothing to draw: {NOTHING_TO_TRAIN}")
    try:
        picture = Picture(plan_figure(plan, tracks, format), format)
    except ModuleNotFoundError as error:
        raise ImportError("a picture needs matplotlib: pip install matplotlib") from error
    if path is not None:
        picture.save(path)
    return picture
