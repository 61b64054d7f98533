"""Builds HTML from text and elements: text is escaped, elements are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from grouper.reports.lines import Line
from grouper.text.printable import visible

# Readable on white and on black; GitHub removes styles.
COLORS = {"red": "#d9483b", "yellow": "#b07d12", "cyan": "#2b86a8", "blue": "#4a7fc4"}
COLORS["green"] = "#2f8f4e"
# Jupyter shows `pre` in a proportional font, and `code` with a background colour.
PRE = "white-space: pre-wrap; font-family: monospace; line-height: 1.3"
CODE = "background: none; color: inherit; padding: 0; font-family: monospace"


class Element(str):
    """Text that is HTML already."""


def element(name: str, *content: str, **attributes: str) -> Element:
    """`<name ...>content</name>`; the attribute `class` is given as `class_`."""
    text = "".join(f' {key.rstrip("_")}="{escaped(v)}"' for key, v in attributes.items())
    return Element(f"<{name}{text}>{''.join(map(escaped, content))}</{name}>")


def code(content: str) -> Element:
    """A name or value in the syntax of rules."""
    return element("code", content, style=CODE)


def escaped(content: str) -> str:
    """Untrusted text, escaped: no markup, no control characters, one line."""
    return content if isinstance(content, Element) else escape(visible(content))


def joined(parts: Iterable[str]) -> Element:
    """Parts, concatenated."""
    return Element("".join(map(escaped, parts)))


def lines(texts: Iterable[Line]) -> Element:
    """Terminal lines with their colours, without newlines, so that Markdown around them does not
    end the HTML."""
    return element("pre", Element("&#10;".join(map(line, texts))), style=PRE)


def line(text: Line) -> Element:
    """A terminal line with its colours."""
    return joined(_colored(piece, style.split()) for piece, style in text.pieces)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int]) -> Element:
    """A table; the columns with these numbers are aligned right."""
    return element(
        "table",
        element("thead", element("tr", *(_cell("th", i, c, numbers) for i, c in enumerate(head)))),
        element(
            "tbody",
            *(
                element("tr", *(_cell("td", i, cell, numbers) for i, cell in enumerate(row)))
                for row in rows
            ),
        ),
    )


def folded(summary: str, *content: str) -> Element:
    """Content that opens on a click on its summary."""
    return element("details", element("summary", summary), *content)


def _cell(name: str, column: int, content: str, numbers: frozenset[int]) -> Element:
    side = "right" if column in numbers else "left"
    style = f"text-align: {side}; padding: 0.1em 0.7em; font-family: monospace"
    return element(name, content, align=side, style=style)


def _colored(text: str, words: Sequence[str]) -> str:
    styles = [f"color: {COLORS[word]}" for word in words if word in COLORS]
    styles += ["font-weight: bold"] if "bold" in words else []
    return element("span", text, style="; ".join(styles)) if styles else text
