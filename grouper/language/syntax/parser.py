"""From the text of a rules file to its syntax tree, and what is wrong with the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from grouper.language.syntax import codes, tree
from grouper.language.syntax.errors import Faulty, refuse
from grouper.language.syntax.statements import MAX_STATEMENTS, Block, Cut, Item, Stray, cut
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import Finding, Label, in_order
from grouper.text.source import Source, Span

MAX_SIZE = 512 * 1024
MAX_FAULTS = 100
MAX_REMEMBERED = 10_000
# Lark's trees of statements by their text, for those who parse a file again and again.
Trees: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Parsed:
    """The statements that could be read, and a finding for each that could not."""

    file: tree.File
    findings: tuple[Finding, ...]


def parse(source: Source, trees: Trees | None = None, pieces: Cut | None = None) -> Parsed:
    """Parse a rules file. Every faulty statement gives one finding and is left out of the tree.

    `trees` remembers statements from one call to the next: what is parsed is what is new. `pieces`
    is the file, cut into statements already.
    """
    if len(source.text) > MAX_SIZE:
        return Parsed(tree.File(()), (_too_long(source),))
    found = pieces or cut(source)
    reader = _Reader(source, trees)
    statements = tuple(s for item in found.items for s in reader.statement(item))
    if found.cut_off is not None:
        reader.findings.append(_too_many(found.cut_off))
    comments = tuple(tree.Comment(span.text.rstrip(), span=span) for span in found.comments)
    whole = Span(source, 0, len(source.text))
    findings = in_order(reader.findings)
    if len(findings) > MAX_FAULTS:
        findings = (*findings[:MAX_FAULTS], _more(findings[MAX_FAULTS]))
    return Parsed(tree.File(statements, comments, span=whole), findings)


def parse_selector(text: str) -> tree.Selector:
    """A selector from its text. Raises ValueError, with the reason, for anything else."""
    selector: tree.Selector = _one(text, "_selector")
    return selector


def parse_expression(text: str) -> tree.Expression:
    """An expression from its text. Raises ValueError, with the reason, for anything else."""
    expression: tree.Expression = _one(text, "expression")
    return expression


def _one(text: str, start: str) -> Any:
    source = Source(text)
    try:
        return _built(Span(source, 0, len(text)), start)
    except Faulty as faulty:
        raise ValueError(faulty.finding.message) from None


class _Reader:
    """Parses statement by statement and collects what is wrong."""

    def __init__(self, source: Source, trees: Trees | None) -> None:
        self.source = source
        self.trees = trees
        self.findings: list[Finding] = []

    def statement(self, item: Item) -> tuple[tree.Statement, ...]:
        """The item's statement, or none where it is faulty."""
        if len(self.findings) > MAX_FAULTS:
            return ()
        try:
            if isinstance(item, Stray):
                refuse(
                    codes.STRAY_BRACE, "this `}` does not close a split", item.span, "remove it", ""
                )
            if isinstance(item, Block):
                return (self._split(item),)
            statement = self._built(item.span)
            if isinstance(statement, tree.Split):
                refuse(
                    codes.SYNTAX,
                    f"the split `{statement.name}` has no block",
                    item.span,
                    f"write its rules in braces: `split {statement.name} {{ ... }}`",
                )
            return (statement,)
        except Faulty as faulty:
            self.findings.append(faulty.finding)
            return ()

    def _split(self, block: Block) -> tree.Split:
        head = self._built(block.head, block.opening)
        if not isinstance(head, tree.Split):
            refuse(
                codes.SYNTAX,
                "only `split NAME` opens a block",
                block.opening,
                "write `split NAME {` before the rules that divide the parameters among them",
            )
        if not block.closed:
            self._report(codes.UNCLOSED, f"the split `{head.name}` is never closed", block.opening)
        rules = tuple(rule for item in block.items for rule in self._rule(item))
        return replace(head, rules=rules, span=block.span)

    def _rule(self, item: Item) -> tuple[tree.Rule, ...]:
        try:
            return (_inside(item, self._built),)
        except Faulty as faulty:
            self.findings.append(faulty.finding)
            return ()

    def _built(self, span: Span, opening: Span | None = None) -> Any:
        if self.trees is None:
            return _built(span, "statement", opening)
        found = self.trees.get(span.text)
        if found is None:
            built = _built(span, "statement", opening)  # what is faulty is not remembered
            if len(self.trees) >= MAX_REMEMBERED:
                self.trees.clear()
            self.trees[span.text] = _parsed(Span(Source(span.text), 0, len(span.text)), "statement")
            return built
        return _node(found, span.source, span.start)

    def _report(self, code: Any, message: str, span: Span) -> None:
        self.findings.append(Finding(code, message, (Label(span),), help="add the missing `}`"))


def _inside(item: Item, built: Callable[[Span], Any]) -> tree.Rule:
    """A rule of a split."""
    if isinstance(item, Block):
        refuse(
            codes.MISPLACED,
            "a split is inside a split",
            item.head,
            "close the first one before this one; the groups are the product of all splits",
        )
    statement = built(item.span)
    if not isinstance(statement, tree.Rule):
        refuse(
            codes.MISPLACED,
            f"`{item.span.text.split()[0]}` is inside a split, which holds only rules",
            item.span,
            "move it to the top level of the file",
        )
    if statement.override:
        refuse(
            codes.MISPLACED,
            "an `override` is inside a split",
            item.span,
            "move it to the top level: in a split each parameter falls under exactly one rule",
        )
    return statement


def _built(span: Span, start: str, opening: Span | None = None) -> Any:
    """Parse and build one statement. Raises Faulty."""
    from lark.exceptions import UnexpectedInput

    try:
        found = _parsed(span, start)
    except UnexpectedInput as error:
        from grouper.language.syntax.mistakes import explain

        raise Faulty(explain(error, span, opening)) from None
    return _node(found.children[0] if start == "_selector" else found, span.source)


def _parsed(span: Span, start: str) -> Any:
    """Lark's tree; lark is imported when the first statement is parsed."""
    from lark.utils import TextSlice

    from grouper.language.syntax.grammar import parser

    return parser().parse(TextSlice(span.source.text, span.start, span.end), start=start)


def _node(found: Any, source: Source, offset: int = 0) -> Any:
    """The node of a tree, whose places count from an offset of the source. Raises Faulty."""
    from grouper.language.syntax.nodes import builder

    return builder(source, offset).node(found)


def _too_long(source: Source) -> Finding:
    return Finding(
        codes.LIMIT,
        f"the file has {len(source.text):,} characters, and {MAX_SIZE:,} is the most",
        (Label(Span(source, 0, 0)),),
        help="divide it, and `include` its parts",
    )


def _too_many(rest: Span) -> Finding:
    return Finding(
        codes.LIMIT,
        f"the file has more than {MAX_STATEMENTS:,} statements",
        (Label(Span(rest.source, rest.start, rest.start)),),
        help="use patterns and captures: `layers.{i}.* -> block{i}` stands for all layers",
    )


def _more(first: Finding) -> Finding:
    return Finding(
        codes.SYNTAX,
        f"more than {MAX_FAULTS} statements are faulty; those from here on are not reported",
        first.labels,
        help="is it a rules file?",
    )
