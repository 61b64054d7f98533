"""Untrusted names in Markdown, shown verbatim and never as markup."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.model.inventory import Parameter
from grouper.text.fold import fold
from grouper.text.printable import count_phrase, size_phrase, visible

MOST_PATTERNS = 12
MOST_CHARACTERS = 200
MOST_FOLDED = 20_000  # parameters; folding more would take too long for a hover


def code(text: str) -> str:
    """Text as inline code."""
    text = visible(text)
    text = text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 3] + "..."
    fence = "`"
    while fence in text:
        fence += "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def totals(parameters: tuple[Parameter, ...]) -> str:
    """A text such as `57 tensors, 9,504 parameters`."""
    tensors = count_phrase(parameters, "tensor")
    if any(parameter.numel is None for parameter in parameters):
        return tensors
    return f"{tensors}, {size_phrase(sum(parameter.numel or 0 for parameter in parameters))}"


def names_list(parameters: tuple[Parameter, ...]) -> str:
    """A list of the names, folded into patterns and cut to MOST_PATTERNS."""
    names = [parameter.name for parameter in parameters]
    patterns: Iterable[str] = fold(names) if len(names) <= MOST_FOLDED else names
    patterns = list(patterns)
    lines = [f"- {code(pattern)}" for pattern in patterns[:MOST_PATTERNS]]
    more = len(patterns) - MOST_PATTERNS
    if more > 0:
        lines.append(f"- and {more:,} more pattern{'s' * (more != 1)}")
    return "\n".join(lines)
