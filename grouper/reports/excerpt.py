"""The source lines of a finding, with carets under the spans of its labels."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from grouper.text.dataclass import dataclass
from grouper.text.findings import Finding, Label
from grouper.text.printable import visible, width
from grouper.text.source import Source

TAB = "    "
MAX_WIDTH = 100
NARROWEST = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an excerpt: the margin, and text in one of the styles `place`, `source`,
    `primary`, `secondary`."""

    margin: str
    text: str
    style: str


def excerpt(finding: Finding, columns: int) -> Iterator[Line]:
    """The lines to print below a finding's message, in `columns`; none if it has no span."""
    if finding.span is None:
        return
    labels = [label for label in finding.labels if label.span is not None]
    digits = max(len(str(label.span.line)) for label in labels)
    gutter = " " * digits
    room = max(columns - digits - len(" | "), NARROWEST)
    for number, source in enumerate(dict.fromkeys(id(label.span.source) for label in labels)):
        here = [label for label in labels if id(label.span.source) == source]
        arrow = "-->" if number == 0 else ":::"
        yield Line(f"{gutter}{arrow} ", visible(here[0].span.place), "place")
        yield Line(f"{gutter} |", "", "source")
        yield from _source_lines(here, finding.labels[0], digits, room)


def _source_lines(labels: list[Label], primary: Label, digits: int, room: int) -> Iterator[Line]:
    source = labels[0].span.source
    previous = 0
    for row in sorted({label.span.line for label in labels}):
        if previous and row > previous + 1:
            yield Line("...", "", "source")
        previous = row
        marked = [label for label in labels if label.span.line == row]
        window = min(MAX_WIDTH, room - len("......"))
        text, crop = _cropped(source, row, marked, window)
        yield Line(f"{row:>{digits}} | ", text, "source")
        for label in sorted(marked, key=lambda each: (each is not primary, each.span.start)):
            start, length = _columns(source, row, label, crop, window)
            sign = "^" if label is primary else "-"
            style = "primary" if label is primary else "secondary"
            for carets in _carets(start, sign * max(length, 1), visible(label.message), room):
                yield Line(f"{' ' * digits} | ", carets, style)


def _carets(start: int, carets: str, message: str, room: int) -> Iterator[str]:
    """The carets, followed by the message, or with it below where there is no room."""
    marked = " " * start + carets
    if width(f"{marked} {message}") <= room or not message:
        yield f"{marked} {message}".rstrip()
        return
    yield marked
    indent = " " * min(start, max(room - width(message), room // 3))
    yield from wrap(message, room, initial_indent=indent, subsequent_indent=indent)


def _cropped(source: Source, row: int, labels: list[Label], window: int) -> tuple[str, int]:
    """The line to print, and how many characters are cut from its start."""
    line = source.line(row)
    first = min(label.span.column for label in labels) - 1
    crop = max(0, first - window * 2 // 5) if len(line) > window else 0
    end = crop + window
    text = _printed(line[crop:end])
    return f"{'...' if crop else ''}{text}{'...' if len(line) > end else ''}", crop


def _columns(source: Source, row: int, label: Label, crop: int, window: int) -> tuple[int, int]:
    """Where a label's carets start, and their number; to the end of the line for long spans."""
    line = source.line(row)
    start = label.span.column - 1
    end = label.span.end_column - 1 if label.span.end_line == row else len(line.rstrip())
    end = min(max(end, start), crop + window)
    before = width(_printed(line[crop:start])) + 3 * bool(crop)
    return before, width(_printed(line[start:end]))


def _printed(text: str) -> str:
    return visible(text.replace("\t", TAB))
