"""The canonical text of rules files, and of selectors, expressions and rules."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grouper.source import Source
from grouper.syntax import tree
from grouper.syntax.build import KEYWORDS

WIDTH = 100
INDENT = "    "
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
_PLAIN_LABEL = re.compile(r"[^\W\d][\w.-]*(?<![.-])")


def format_file(file: tree.File, source: Source | None = None) -> str:
    """The canonical text of a tree: one statement a line, arrows and options of neighbouring rules
    aligned, comments and single blank lines kept (where the tree comes from a source).

    Formatting it again changes nothing, and its tree is equal.
    """
    lines = _lines(file, source)
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    return text + "\n" if text else ""


# --- statements ---


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
    """Comments behind a statement stay behind it, all others get a line of their own."""
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


def statement_text(statement: tree.Statement) -> str:
    """A statement on one line; of a split, its head."""
    match statement:
        case tree.Rule():
            return rule_text(statement)
        case tree.Let(name=name, value=value):
            return f"let {name} = {expression_text(value)}"
        case tree.Include(path=path):
            return f"include {_quoted(path)}"
        case tree.Optimizer(name=name, alias=alias, options=options):
            given = f" as {alias}" if alias else ""
            return f"optimizer {name}{given} {options_text(options)}".rstrip()
        case tree.Warmup(options=options):
            return f"warmup {options_text(options)}".rstrip()
        case tree.Schedule(name=name, options=options):
            return f"schedule {name} {options_text(options)}".rstrip()
        case tree.Split(name=name):
            return f"split {name}"
        case tree.Strict():
            return "strict"
        case tree.Expect(claim=tree.Between(value=value, first=first, last=last)):
            texts = (expression_text(part) for part in (value, first, last))
            return "expect {} in {}..{}".format(*texts)
        case tree.Expect(claim=tree.Comparison() as claim):
            return f"expect {_comparison(claim)}"
        case tree.Allow(code=code, selector=selector):
            return f"allow {code}" + (f" {selector_text(selector)}" if selector else "")
    raise TypeError(f"not a statement: {statement!r}")


def rule_cells(rule: tree.Rule) -> tuple[str, ...]:
    """A rule's selector, its arrow and label, and its options."""
    words = ["override"] * rule.override + ["else"] * rule.otherwise
    if rule.selector is not None:
        words.append(selector_text(rule.selector))
    arrow = f"-> {label_text(rule.label)}" if rule.label else "->"
    options = (options_text(rule.options),) if rule.options else ()
    return " ".join(words), arrow, *options


def rule_text(rule: tree.Rule) -> str:
    return " ".join(rule_cells(rule))


def label_text(label: tree.Label) -> str:
    """A label; in quotes where it is no plain word."""
    text = "".join(
        f"{{{piece.name}}}" if isinstance(piece, tree.Word) else piece.text
        for piece in label.pieces
    )
    words = any(isinstance(piece, tree.Word) for piece in label.pieces)
    plain = "".join("x" if isinstance(p, tree.Word) else p.text for p in label.pieces)
    if words or (_PLAIN_LABEL.fullmatch(plain) and plain not in KEYWORDS):
        return text
    return _quoted(text)


def options_text(options: tuple[tree.Option, ...]) -> str:
    return " ".join(
        o.key if o.operator == "flag" else f"{o.key}{o.operator}{expression_text(o.value)}"
        for o in options
    )


# --- selectors ---


def selector_text(selector: tree.Selector) -> str:
    """A selector that parses to an equal one."""
    match selector:
        case tree.Glob():
            return glob_text(selector)
        case tree.Regex(pattern=pattern):
            return "/" + re.sub(r"(?<!\\)((?:\\\\)*)/", r"\1\\/", pattern) + "/"
        case tree.Exact(name=name):
            return _quoted(name)
        case tree.ClassName(name=name):
            return f"@{glob_text(name)}"
        case tree.Within(module=module):
            return f"in {selector_text(module)}"
        case tree.Comparison():
            return _comparison(selector)
        case tree.Flag(name=name):
            return name
        case tree.Not(operand=operand):
            return f"not {_grouped(operand, tree.And, tree.Or)}"
        case tree.And(operands=operands):
            return " and ".join(_grouped(operand, tree.And, tree.Or) for operand in operands)
        case tree.Or(operands=operands):
            return " or ".join(_grouped(operand, tree.Or) for operand in operands)
    raise TypeError(f"not a selector: {selector!r}")


def _grouped(selector: tree.Selector, *kinds: type) -> str:
    text = selector_text(selector)
    return f"({text})" if isinstance(selector, kinds) else text


def _comparison(comparison: tree.Comparison) -> str:
    left, right = expression_text(comparison.left), expression_text(comparison.right)
    return f"{left} {comparison.operator} {right}"


def glob_text(glob: tree.Glob) -> str:
    """A glob as it is written."""
    return "".join(map(_piece, glob.pieces))


def _piece(piece: tree.Piece) -> str:
    match piece:
        case tree.Text(text=text):
            return text
        case tree.AnyRun():
            return "*"
        case tree.AnyOne():
            return "?"
        case tree.OneIn(ranges=ranges, negated=negated):
            inside = "".join(a if a == b else f"{a}-{b}" for a, b in ranges)
            return f"[{'!' * negated}{inside}]"
        case tree.Alternatives(options=options):
            return f"{{{','.join(map(glob_text, options))}}}"
        case tree.Whole(capture=capture, first=None):
            return f"{{{capture}}}"
        case tree.Whole(capture=capture, first=first, last=last):
            return f"{{{f'{capture}:' if capture else ''}{first}..{last}}}"
    raise TypeError(f"not a piece of a glob: {piece!r}")


# --- expressions ---


def expression_text(expression: tree.Expression, around: int = 0) -> str:
    """An expression that parses to an equal one; `around` is the precedence of what holds it."""
    match expression:
        case tree.Number(value=value, text=text):
            return text or repr(value)
        case tree.Constant(value=value):
            return {None: "none", True: "true", False: "false"}[value]
        case tree.String(value=value):
            return _quoted(value)
        case tree.Word(name=name):
            return name
        case tree.Attribute(label=label, key=key):
            plain = re.fullmatch(r"[^\W\d]\w*", label)
            return f"{label if plain else _quoted(label)}.{key}"
        case tree.Subscript(name=name, index=index):
            return f"{name}[{expression_text(index)}]"
        case tree.Tuple(items=items):
            inside = ", ".join(map(expression_text, items))
            return f"({inside},)" if len(items) == 1 else f"({inside})"
        case tree.Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(expression_text, arguments))})"
        case tree.Unary(operator=operator, operand=operand):
            text = f"{operator}{expression_text(operand, 3)}"
            return f"({text})" if around > 3 else text
        case tree.Binary():
            return _binary(expression, around)
    raise TypeError(f"not an expression: {expression!r}")


def _binary(expression: tree.Binary, around: int) -> str:
    own = _PRECEDENCE[expression.operator]
    power = expression.operator == "**"
    left = expression_text(expression.left, own + 1 if power else own)
    right = expression_text(expression.right, 3 if power else own + 1)
    text = f"{left}**{right}" if power else f"{left} {expression.operator} {right}"
    return f"({text})" if own < around else text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
