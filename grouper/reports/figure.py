"""Pictures with a curve for each group, drawn with matplotlib (an optional dependency)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 60  # characters of a label
ROW = 130  # characters of the legend in a line
SETTINGS = {"svg.hashsalt": "grouper", "svg.fonttype": "none"}
MARKERS = "osD^v<>Pp*hX"


@contextmanager
def drawing() -> Iterator[None]:
    """Uses matplotlib's own defaults instead of the user's, and silences its warnings.

    Raises ImportError if matplotlib is not installed.
    """
    import matplotlib.style

    with matplotlib.style.context(["default", SETTINGS]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def sheet(width: float, height: float, labels: Sequence[str]) -> Figure:
    """An empty figure of the given size in inches, plus height for the legend."""
    from matplotlib.figure import Figure

    height += 0.17 * (len(labels) // _columns(labels))
    return Figure(figsize=(width, height), layout="constrained")


def draw(panel: Axes, steps: Sequence[int], curves: Sequence[Sequence[float]], word: str) -> None:
    """Draws curves, which differ in their markers, not only in colour."""
    panel.set_ylabel(word)
    panel.grid(alpha=0.3)
    panel.margins(x=0.01)
    for number, curve in enumerate(curves):
        apart = max(len(steps) // 12, 1)
        marker = MARKERS[number % len(MARKERS)] if len(curves) > 1 else ""
        panel.plot(
            steps, curve, linewidth=1.5, marker=marker, markersize=4,
            color=None if len(curves) > 1 else "dimgray",
            markevery=(number * apart // len(curves), apart),
        )  # fmt: skip


def legend(figure: Figure, panel: Axes, labels: Sequence[str]) -> None:
    """Adds a legend with the groups' names unchanged: matplotlib would typeset `$x$` and omit
    `_x`."""
    lines = panel.get_lines()[: len(labels)]
    unnamed = ["?"] * len(labels)
    box = figure.legend(
        lines,
        unnamed,
        loc="outside upper left",
        ncols=_columns(labels),
        frameon=False,
        fontsize=8,
    )
    for line, label in zip(box.get_texts(), labels, strict=True):
        line.set_text(label)
        line.set_parse_math(False)


def rendered(figure: Figure, format: str) -> bytes:
    """The bytes of the picture's file; equal figures give equal bytes."""
    file = BytesIO()
    metadata = {"Date": None, "Creator": None} if format == "svg" else {"Software": None}
    figure.savefig(file, format=format, dpi=150, metadata=metadata)
    return file.getvalue()


def short(label: str) -> str:
    """A label, cut to LONGEST characters."""
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 3]}..."


def _columns(labels: Sequence[str]) -> int:
    return max(1, min(6, ROW // (max(map(len, labels)) + 8)))
