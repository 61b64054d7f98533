"""Hover: what selectors match, where options come from, and what words and findings mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from grouper.checks.catalog import ALL
from grouper.editor import words
from grouper.editor.document import Document
from grouper.editor.markdown import code, names_list, totals
from grouper.editor.names import What
from grouper.editor.navigate import declarations, name_at
from grouper.editor.option_origin import option_text
from grouper.editor.selected import selected
from grouper.editor.tokens import Kind, Token
from grouper.editor.tree_walk import option_at, selector_at
from grouper.options.schedules import SCHEDULES
from grouper.options.signatures import signature
from grouper.options.values import value_text
from grouper.text.dataclass import dataclass
from grouper.text.findings import Code, Finding
from grouper.text.source import Span


@dataclass(frozen=True)
class Hover:
    """Markdown, and the span that it describes."""

    markdown: str
    span: Span


def hover(document: Document, offset: int) -> Hover | None:
    """The hover text at an offset, or None."""
    token = _token_at(document, offset)
    parts = []
    if token is not None:
        parts = [part for describe in _DESCRIBERS if (part := describe(document, token, offset))]
    parts += [_finding(finding) for finding in _known(document) if _covers(finding, offset)]
    if not parts:
        return None
    span = (
        Span(document.source, token.start, token.end) if token else _finding_span(document, offset)
    )
    return Hover("\n\n---\n\n".join(dict.fromkeys(parts)), span)


def _token_at(document: Document, offset: int) -> Token | None:
    touching = [t for t in document.tokens if t.start <= offset <= t.end]
    return next((t for t in touching if offset < t.end), touching[-1] if touching else None)


def _known(document: Document) -> tuple[Finding, ...]:
    """The findings, if they have been computed, which happens soon after the last edit."""
    known: tuple[Finding, ...] = document.__dict__.get("findings", ())
    return known


def _covers(finding: Finding, offset: int) -> bool:
    span = finding.span
    return span is not None and span.start <= offset < max(span.end, span.start + 1)


def _finding_span(document: Document, offset: int) -> Span:
    spans = [f.span for f in _known(document) if _covers(f, offset) and f.span is not None]
    return spans[0] if spans else Span(document.source, offset, offset)


def _selector(document: Document, token: Token, offset: int) -> str | None:
    """What the innermost selector here matches on each model."""
    in_selector = (Kind.GLOB, Kind.CLASS, Kind.REGEX, Kind.FACT, Kind.MARK, Kind.STRING)
    words_of_selectors = ("in", "not", "and", "or", "trainable", "tied", "has")
    if token.kind not in in_selector and token.text not in words_of_selectors:
        return None
    selector = selector_at(document.parsed.file, offset)
    if selector is None or selector.span is None:
        return None
    parts = []
    for path, inventory in document.models:
        matches, reasons = selected(selector, inventory, document)
        head = f"{code(selector.span.text)} matches {totals(matches)} of {code(path)}"
        unknown = "".join(f"\n\nunknown for other tensors: {reason}" for reason in reasons)
        parts.append(f"{head}\n\n{names_list(matches)}{unknown}".rstrip())
    return "\n\n".join(parts) or None


def _rule(document: Document, token: Token, offset: int) -> str | None:
    """What the whole rule takes, if the offset is in its arrow, its label or `else`."""
    if token.text not in ("->", "else", "override", "optional") and token.kind is not Kind.LABEL:
        return None
    statement = document.statement_at(offset)
    if statement is None:
        return None
    parts = []
    for taken in document.taken.get(statement.span.start, ()):
        if taken.sure:
            head = f"the rule takes {totals(taken.parameters)} of {code(taken.model.path)}"
            parts.append(f"{head}\n\n{names_list(taken.parameters)}".rstrip())
    return "\n\n".join(parts) or None


def _option(document: Document, token: Token, offset: int) -> str | None:
    statement_and_option = option_at(document.parsed.file, offset)
    if statement_and_option is None or (token.kind is not Kind.KEY and token.text != "freeze"):
        return None
    statement, option = statement_and_option
    return option_text(document, statement, option)


def _variable(document: Document, token: Token, offset: int) -> str | None:
    name = name_at(document, offset)
    if name is None or name.what is not What.VARIABLE:
        return None
    let = next(iter(declarations(document, name)), None)
    if let is None:
        return None
    value = document.rules.variables.get(name.text)
    known = name.text in document.rules.variables and not callable(value)
    suffix = f" = {value_text(value)}" if known and _is_value(value) else ""
    return f"{code(f'let {name.text}{suffix}')}, declared at {code(let.span.place)}"


def _is_value(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str | tuple)


def _word(document: Document, token: Token, offset: int) -> str | None:
    match token.kind:
        case Kind.KEYWORD | Kind.CONSTANT:
            return words.KEYWORDS.get(token.text)
        case Kind.FACT | Kind.WORD:
            return words.FACTS.get(token.text)
        case Kind.FUNCTION:
            return words.FUNCTIONS.get(token.text)
        case Kind.OPTIMIZER:
            return optimizer_text(token.text)
        case Kind.SCHEDULE:
            return schedule_text(token.text)
        case Kind.CODE:
            known = [c for c in ALL if token.text.upper() == c.id or token.text == c.name]
            return _page(known[0]) if known else None
        case _:
            return None


_DESCRIBERS: tuple[Callable[[Document, Token, int], str | None], ...] = (
    _selector, _rule, _option, _variable, _word,
)  # fmt: skip


def optimizer_text(name: str) -> str | None:
    """The options of one of torch's optimizers, with their defaults."""
    known = signature(name)
    if known is None:
        return None
    options = [
        f"{key}={value_text(known.defaults[key])}" if key in known.defaults else key
        for key in known.constructor
    ]
    return f"{code(f'torch.optim.{name}')}\n\n" + ", ".join(map(code, options))


def schedule_text(name: str) -> str | None:
    """The options of a schedule, with their defaults."""
    kind = SCHEDULES.get(name)
    if kind is None:
        return None
    options = [
        key if default is None else f"{key}={value_text(default)}"
        for key, (_, default) in kind.options.items()
    ]
    return f"{code(f'schedule {name}')}\n\n" + ", ".join(map(code, options))


def _finding(finding: Finding) -> str:
    parts = [f"**{finding.severity.value}** {finding.message}"]
    if finding.parameters:
        parts.append("\n".join(f"- {code(name)}" for name in finding.parameters[:12]))
    parts += [f"note: {note}" for note in finding.notes]
    if finding.help:
        parts.append(f"help: {finding.help}")
    return "\n\n".join([*parts, _page(finding.code)])


def _page(kind: Code) -> str:
    return f"**{kind.id} {kind.name}**\n\n{inspect.cleandoc(kind.page)}"
