"""The text of generated rules: header, comments, canonical form."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from grouper.language.syntax import tree
from grouper.language.syntax.format import format_file
from grouper.language.syntax.parser import parse
from grouper.language.syntax.unparse import statement_text
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass
from grouper.text.printable import count_phrase, size_phrase, visible
from grouper.text.source import Source

WIDTH = 92  # of a comment


@dataclass(frozen=True)
class Use:
    """How the rules will be used: the model as a command line names it, the file that the rules go
    to, and the model's path beside that file, where the model is a file."""

    model: str = "MODEL"
    file: str = "my.rules"
    beside: str | None = None


def canonical(text: str) -> str:
    """The text as `grouper fmt` leaves it."""
    source = Source(text)
    parsed = parse(source)
    if parsed.findings:
        raise ValueError(parsed.findings[0].message)
    return format_file(parsed.file, source)


def comment(text: str) -> Iterator[str]:
    """Comment lines."""
    return (f"# {line}" for line in wrap(visible(text), WIDTH, break_on_hyphens=False))


def header(inventory: Inventory, use: Use) -> Iterator[str]:
    """What the rules are for, how they are checked, and the model, where it is a file."""
    size = f"{count_phrase(inventory.parameters, 'tensor')}, {size_phrase(inventory.numel)}"
    yield from comment(f"Rules for {inventory.path}: {size}.")
    yield "#"
    yield f"#     grouper check {visible(use.model)} {visible(use.file)}"
    yield ""
    if use.beside is not None:
        yield statement_text(tree.For(use.beside))
        yield ""
