"""The text of a conversion, in canonical form, with its remarks as comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import assert_never

from grouper.generate.convert.converted import Case, Converted, Line, Remark, Table
from grouper.generate.convert.errors import ConvertError
from grouper.language.syntax import tree
from grouper.language.syntax.format import format_file
from grouper.language.syntax.parser import parse
from grouper.language.syntax.unparse import rule_text, statement_text
from grouper.text.printable import visible
from grouper.text.source import Source

_WIDTH = 92  # of a comment inside a split


def text_of(converted: Converted) -> str:
    """The rules file. Raises ConvertError where rules cannot say it."""
    rough = "\n".join(_lines(converted)) + "\n"
    source = Source(rough)
    parsed = parse(source)
    if parsed.findings:
        raise ConvertError(f"its rules cannot be written: {parsed.findings[0].message}")
    return format_file(parsed.file, source)


def _lines(converted: Converted) -> Iterator[str]:
    yield from _comments(converted.remarks)
    yield ""
    for part in converted.parts:
        match part:
            case Line():
                yield from _comments(part.remarks)
                if part.statement is not None:
                    yield statement_text(part.statement)
            case Table():
                yield ""
                yield from _table(part)
            case _:
                assert_never(part)


def _table(table: Table) -> Iterator[str]:
    yield from _comments(table.remarks)
    yield f"split {table.name} {{"
    first = True
    for case in table.cases:
        yield from _comments(case.remarks)
        if case.dropped is not None:
            yield from _comments([Remark(case.dropped)])
            yield f"# {rule_text(rule_of(case, alone=table.exclusive))}"
            continue
        yield rule_text(rule_of(case, alone=first or table.exclusive))
        first = False
    yield "}"


def rule_of(case: Case, *, alone: bool) -> tree.Rule:
    """A case as a rule; all but the first of a table, and its rest, begin with `else`."""
    return tree.Rule(
        case.selector,
        case.label,
        case.options,
        otherwise=case.is_rest or not alone,
        optional=case.kind and not case.is_rest,
    )


def _comments(remarks: Iterable[Remark]) -> Iterator[str]:
    for remark in remarks:
        for paragraph in remark.text.split("\n"):
            lines = wrap(visible(paragraph), _WIDTH, break_on_hyphens=False)
            yield from (f"# {line}" for line in lines or [""])
