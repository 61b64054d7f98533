"""A shipped rules file as the start of one's own: its text, with a model and values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from grouper.generate.init.text import Use, canonical
from grouper.language.shipped import shipped_rules
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse, parse_expression
from grouper.language.syntax.unparse import expression_text, statement_text
from grouper.text.printable import quoted_list, visible
from grouper.text.similar import near
from grouper.text.source import Source

_USAGE = "#     "  # a line of the header that shows how the file is used
_BASE_MODEL = re.compile(r'base_model "[^"]*"')


def recipe_rules(name: str, use: Use, values: Mapping[str, str]) -> str:
    """The text of a shipped file, for a model and with other values of its variables.

    `values` are expressions by name. Raises ValueError, with the near names, where there is no such
    file, no such variable, or no such expression.
    """
    files = shipped_rules()
    if name not in files:
        similar = near(name, files)
        hint = f"; did you mean `{similar[0]}`?" if similar else "; `grouper rules` lists them"
        raise ValueError(f"there are no shipped rules `{visible(name)}`{hint}")
    text = _with_values(files[name].read_text("utf-8"), values, name)
    header, _, body = text.partition("\n\n")
    return canonical("\n".join([*_header(header, use, files[name].stem), "", body]))


def _with_values(text: str, values: Mapping[str, str], name: str) -> str:
    source = Source(text)
    lets = {s.name: s for s in parse(source).file.statements if isinstance(s, tree.Let)}
    edits = []
    for key, value in values.items():
        if key not in lets:
            similar = near(key, lets)
            hint = f"did you mean `{similar[0]}`?" if similar else f"it has {quoted_list(lets)}"
            raise ValueError(f"`{name}` has no variable `{visible(key)}`; {hint}")
        expression = parse_expression(value)
        span = lets[key].value.span
        assert span is not None  # it was parsed from a text
        edits.append((span.start, span.end, expression_text(expression)))
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _header(header: str, use: Use, recipe: str) -> Iterator[str]:
    """The comment at the top, with the command that checks this file in place of its examples."""
    lines = header.splitlines()
    usage = [line.removeprefix(_USAGE) for line in lines if line.startswith(_USAGE)]
    first = next((i for i, line in enumerate(lines) if line.startswith(_USAGE)), 1)
    own = [
        f"{_USAGE}grouper check {visible(use.model)} {visible(use.file)}",
        "#",
        f"# Begun with grouper's `{recipe}`: the numbers after `let` are yours to choose.",
    ]
    if not usage:
        own = ["#", *own]
    yield from lines[:first]
    yield from own
    yield from (line for line in lines[first:] if not line.startswith(_USAGE))
    yield ""
    if use.beside is not None:
        yield statement_text(tree.For(use.beside))
    yield from (found[0] for line in usage if (found := _BASE_MODEL.match(line)))
