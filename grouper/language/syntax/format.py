"""The canonical text of rules files: a statement a line, columns aligned, comments kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grouper.language.syntax import tree
from grouper.language.syntax.unparse import expression_text, rule_cells, statement_text
from grouper.text.source import Source

WIDTH = 100
INDENT = "    "


def format_file(file: tree.File, source: Source | None = None) -> str:
    """The canonical text of a tree: one statement a line, arrows and options of neighbouring rules
    aligned, comments and single blank lines kept (where the tree comes from a source).

    Formatting it again changes nothing, and its tree is equal.
    """
    lines = _lines(file, source)
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    return text + "\n" if text else ""


class _Line:
    """A statement or a comment: its cells (aligned with neighbours), and where it came from."""

    def __init__(
        self,
        cells: tuple[str, ...],
        kind: str,
        depth: int,
        first: int | None = None,
        last: int | None = None,
    ) -> None:
        self.cells, self.kind, self.depth = cells, kind, depth
        self.first, self.last = first, last
        self.comment = ""


def _lines(file: tree.File, source: Source | None) -> list[str]:
    lines = _place_comments(list(_statements(file.statements, 0)), file.comments)
    out: list[str] = []
    previous: _Line | None = None
    for block in _blocks(lines):
        for line, text in zip(block, _aligned(block), strict=True):
            if previous is not None and _blank_between(previous, line):
                out.append("")
            out.extend(text)
            previous = line
    return out


def _statements(statements: Iterable[tree.Statement], depth: int) -> Iterable[_Line]:
    for statement in statements:
        first, last = _extent(statement)
        if isinstance(statement, tree.Split):
            head = (
                statement.span.source.position(statement.span.start)[0] if statement.span else None
            )
            yield _Line((f"split {statement.name} {{",), "open", depth, head, head)
            yield from _statements(statement.rules, depth + 1)
            yield _Line(("}",), "close", depth, last, last)
        elif isinstance(statement, tree.Rule):
            yield _Line(rule_cells(statement), "rule", depth, first, last)
        elif isinstance(statement, tree.Let):
            cells = (f"let {statement.name}", f"= {expression_text(statement.value)}")
            yield _Line(cells, "let", depth, first, last)
        else:
            yield _Line((statement_text(statement),), "other", depth, first, last)


def _extent(node: tree.Node) -> tuple[int | None, int | None]:
    if node.span is None:
        return None, None
    return node.span.line, node.span.source.position(max(node.span.start, node.span.end - 1))[0]


def _place_comments(lines: list[_Line], comments: tuple[tree.Comment, ...]) -> list[_Line]:
    """Comments after a statement stay after it, all others get a line of their own."""
    for comment in comments:
        row = comment.span.line if comment.span else 0
        behind = [line for line in lines if line.first and line.first <= row <= (line.last or 0)]
        ends = [line for line in behind if line.last == row and line.kind != "comment"]
        if ends and _code_before(comment) and not ends[-1].comment:
            ends[-1].comment = comment.text
            continue
        index = next(
            (i for i, line in enumerate(lines) if line.first and (line.last or 0) >= row),
            len(lines),
        )
        depth = _depth_at(lines, index)
        lines.insert(index, _Line((comment.text,), "comment", depth, row, row))
    return lines


def _depth_at(lines: list[_Line], index: int) -> int:
    if index < len(lines):
        return lines[index].depth + (lines[index].kind == "close")
    return lines[-1].depth if lines and lines[-1].kind == "comment" else 0


def _code_before(comment: tree.Comment) -> bool:
    assert comment.span is not None
    source, start = comment.span.source, comment.span.start
    return bool(source.line(comment.span.line)[: source.position(start)[1] - 1].strip())


def _blank_between(previous: _Line, line: _Line) -> bool:
    if previous.last is None or line.first is None:
        return False
    return line.first > previous.last + 1 and previous.kind != "open" and line.kind != "close"


def _blocks(lines: list[_Line]) -> Iterable[list[_Line]]:
    """Runs of neighbouring lines of one kind, which are aligned together."""
    block: list[_Line] = []
    for line in lines:
        if block and (
            line.kind != block[-1].kind
            or line.depth != block[-1].depth
            or _blank_between(block[-1], line)
        ):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _aligned(block: list[_Line]) -> list[list[str]]:
    """The text of each line: cells of a column padded to one width, long lines wrapped."""
    columns = max(len(line.cells) for line in block)
    widths = [
        max((len(line.cells[i]) for line in block if len(line.cells) > i + 1), default=0)
        for i in range(columns)
    ]
    texts = []
    for line in block:
        indent = INDENT * line.depth
        padded = [
            cell.ljust(widths[i]) if i + 1 < len(line.cells) else cell
            for i, cell in enumerate(line.cells)
        ]
        texts.append(_wrapped(indent + " ".join(padded).rstrip(), line, indent))
    room = max(
        (len(text[-1]) for text, line in zip(texts, block, strict=True) if line.comment), default=0
    )
    for text, line in zip(texts, block, strict=True):
        if line.comment:
            text[-1] = f"{text[-1].ljust(room)}  {line.comment}"
    return texts


def _wrapped(text: str, line: _Line, indent: str) -> list[str]:
    """A rule that is too long has its options on lines of their own."""
    if len(text) <= WIDTH or line.kind != "rule" or len(line.cells) < 3:
        return [text]
    options = line.cells[-1]
    head = text[: len(text) - len(options)].rstrip()
    rows: list[str] = []
    for option in _split_options(options):
        if rows and len(rows[-1]) + 1 + len(option) <= WIDTH:
            rows[-1] += f" {option}"
        else:
            rows.append(f"{indent}{INDENT}{INDENT}{option}")
    return [head, *rows]


def _split_options(text: str) -> list[str]:
    """Options apart: each begins with `key=`, `key*=` or a flag outside of parentheses."""
    starts = [m.start() for m in re.finditer(r"(?<![^\s])([^\W\d]\w*\*?=(?!=)|freeze\b)", text)]
    outside = [s for s in starts if text.count("(", 0, s) == text.count(")", 0, s)]
    return [text[a:b].strip() for a, b in zip(outside, [*outside[1:], len(text)], strict=True)]
