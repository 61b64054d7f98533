"""Draws docs/check-light.svg and docs/check-dark.svg, the README's picture, from real reports.

python docs/screenshot.py

The mistake is a real one: the head was looked up by its index in another model, which a loop over
names silently misses (ultralytics/ultralytics, pull request 25532).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

import grouper
from grouper.reports.lines import Line, styled
from grouper.reports.output import Output
from grouper.reports.terminal import report_lines
from grouper.text.printable import width

ROOT = Path(__file__).parents[1]
MODEL = "examples/yolov5s.pt"
RULES = """\
optimizer SGD lr=0.001 momentum=0.937

{head:<10} -> head lr*=10
else       -> body
"""
COLUMNS = 84
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SIZE, ACROSS, DOWN, MARGIN = 14, 8.43, 19, 18
THEMES = {
    "light": {
        "ground": "#ffffff", "frame": "#d0d7de", "": "#1f2328", "dim": "#656d76", "red": "#cf222e",
        "yellow": "#9a6700", "green": "#1a7f37", "blue": "#0969da", "cyan": "#1b7c83",
    },
    "dark": {
        "ground": "#0d1117", "frame": "#30363d", "": "#e6edf3", "dim": "#8b949e", "red": "#ff7b72",
        "yellow": "#d29922", "green": "#3fb950", "blue": "#79c0ff", "cyan": "#76e3ea",
    },
}  # fmt: skip


def main() -> None:
    os.chdir(ROOT)
    lines = [*_checked("model.22.*"), Line(), *_checked("in @Detect")]
    for theme, colors in THEMES.items():
        picture = "\n".join(_svg(lines, colors))
        (ROOT / "docs" / f"check-{theme}.svg").write_text(f"{picture}\n", "utf-8")


def _checked(head: str) -> Iterator[Line]:
    """The rules with this head and their report, as in a terminal."""
    text = RULES.format(head=head)
    report = grouper.check(MODEL, grouper.parse(text, "my.rules"), key="model")
    yield styled(("$ cat my.rules", "bold"))
    yield from map(styled, text.splitlines())
    yield Line()
    yield styled((f"$ grouper check {Path(MODEL).name} my.rules", "bold"))
    for line in report_lines(report, Output(width=COLUMNS)):
        yield Line(tuple((text.replace(MODEL, Path(MODEL).name), s) for text, s in line.pieces))


def _svg(lines: list[Line], colors: dict[str, str]) -> Iterator[str]:
    wide, high = COLUMNS * ACROSS + 2 * MARGIN, len(lines) * DOWN + 2 * MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}"'
        f' width="{wide:.0f}" height="{high}" role="img">'
    )
    yield "<title>grouper check finds a head that is looked up by another model's index</title>"
    yield (
        f'<rect x="0.5" y="0.5" width="{wide - 1:.0f}" height="{high - 1}" rx="8"'
        f' fill="{colors["ground"]}" stroke="{colors["frame"]}"/>'
    )
    yield f'<g font-family="{FONT}" font-size="{SIZE}">'
    for number, line in enumerate(lines):
        yield from _texts(line, MARGIN + DOWN * (number + 0.75), colors)
    yield "</g></svg>"


def _texts(line: Line, height: float, colors: dict[str, str]) -> Iterable[str]:
    """A text element per piece, placed and sized by its columns in any font."""
    column = 0
    for text, style in line.pieces:
        words = style.split()
        color = next((colors[word] for word in words if word in colors), colors[""])
        bold = ' font-weight="bold"' if "bold" in words else ""
        begin = column + len(text) - len(text.lstrip())
        letters = text.strip()
        column += width(text)
        if letters:
            yield (
                f'<text x="{MARGIN + begin * ACROSS:.1f}" y="{height:.1f}" xml:space="preserve"'
                f' textLength="{width(letters) * ACROSS:.1f}" fill="{color}"{bold}>'
                f"{escape(letters)}</text>"
            )


if __name__ == "__main__":
    main()
