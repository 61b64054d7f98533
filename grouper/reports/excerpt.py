"""The source lines of a finding, with carets under the places it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grouper.findings import Finding, Label
from grouper.text.printable import visible, width
from grouper.text.source import Source

TAB = "    "
MAX_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an excerpt: the margin, and text in one of the styles
    `place`, `source`, `primary`, `secondary`."""

    margin: str
    text: str
    style: str


def excerpt(finding: Finding) -> Iterator[Line]:
    """The lines to print under a finding's message; none if it has no place."""
    if finding.span is None:
        return
    labels = [label for label in finding.labels if label.span is not None]
    digits = max(len(str(label.span.line)) for label in labels)
    gutter = " " * digits
    for number, source in enumerate(dict.fromkeys(id(label.span.source) for label in labels)):
        here = [label for label in labels if id(label.span.source) == source]
        arrow = "-->" if number == 0 else ":::"
        yield Line(f"{gutter}{arrow} ", visible(here[0].span.place), "place")
        yield Line(f"{gutter} |", "", "source")
        yield from _source_lines(here, finding.labels[0], digits)


def _source_lines(labels: list[Label], primary: Label, digits: int) -> Iterator[Line]:
    source = labels[0].span.source
    previous = 0
    for row in sorted({label.span.line for label in labels}):
        if previous and row > previous + 1:
            yield Line("...", "", "source")
        previous = row
        marked = [label for label in labels if label.span.line == row]
        text, crop = _cropped(source, row, marked)
        yield Line(f"{row:>{digits}} | ", text, "source")
        for label in sorted(marked, key=lambda each: (each is not primary, each.span.start)):
            start, length = _columns(source, row, label, crop)
            sign = "^" if label is primary else "-"
            carets = f"{' ' * start}{sign * max(length, 1)} {visible(label.message)}".rstrip()
            yield Line(f"{' ' * digits} | ", carets, "primary" if label is primary else "secondary")


def _cropped(source: Source, row: int, labels: list[Label]) -> tuple[str, int]:
    """The line to print, and how many of its first characters it leaves out."""
    line = source.line(row)
    first = min(label.span.column for label in labels) - 1
    crop = max(0, first - 40) if len(line) > MAX_WIDTH else 0
    text = line[crop : crop + MAX_WIDTH]
    return (
        f"{'...' if crop else ''}{_printed(text)}{'...' if len(line) > crop + MAX_WIDTH else ''}",
        crop,
    )


def _columns(source: Source, row: int, label: Label, crop: int) -> tuple[int, int]:
    """Where a label's carets begin, and how many there are; to the line's end for long spans."""
    line = source.line(row)
    start = label.span.column - 1
    end = label.span.end_column - 1 if label.span.end_line == row else len(line.rstrip())
    end = min(max(end, start), crop + MAX_WIDTH)
    before = width(_printed(line[crop:start])) + 3 * bool(crop)
    return before, width(_printed(line[start:end]))


def _printed(text: str) -> str:
    return visible(text.replace("\t", TAB))
