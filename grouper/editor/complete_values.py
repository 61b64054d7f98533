"""Options and their values: keys, variables, captures, facts, functions and words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from grouper.editor import words
from grouper.editor.candidate import Candidate, Sort
from grouper.editor.document import Document
from grouper.editor.names import What, names_of
from grouper.editor.navigate import declared
from grouper.editor.option_origin import key_text
from grouper.editor.scan import Scanned
from grouper.editor.tokens import Kind, Token
from grouper.language.arithmetic import CONSTANTS, FUNCTIONS
from grouper.options.misspelt import torch_options
from grouper.options.plan_keys import PLAN, WARMUP
from grouper.options.schedules import SCHEDULES
from grouper.options.signatures import signature, torch_signatures
from grouper.options.torch_values import KINDS
from grouper.text.source import Span

_WORDS = re.compile(r"`(\w+)`")


def values(
    document: Document,
    tokens: tuple[Token, ...],
    allowed: frozenset[str],
    part: str,
    span: Span,
    statement: Scanned | None,
) -> Iterator[Candidate]:
    """The possible options of a statement, and the words and names in their values."""
    word = tokens[0].text if tokens else ""
    if "TARGET" in allowed:
        for name in torch_signatures():
            yield Candidate(name, Sort.OPTIMIZER, span, "torch.optim")
    if word == "schedule" and "NAME" in allowed and _is_name(tokens):
        yield from _schedules(document, tokens, span)
    if "KEY" in allowed and word != "expect" and not _argument(tokens):
        yield from _keys(document, word, tokens, span)
    if "NUMBER" in allowed:
        yield from _values(document, word, tokens, span, statement)
    elif _after_label(document, tokens, span):
        yield from (Candidate(key, Sort.OPTION, span, "option") for key in ("lr", "momentum"))


def _is_name(tokens: tuple[Token, ...]) -> bool:
    return all(token.kind in (Kind.KEYWORD, Kind.SCHEDULE) for token in tokens)


def _schedules(document: Document, tokens: tuple[Token, ...], span: Span) -> Iterator[Candidate]:
    for name in SCHEDULES:
        yield Candidate(name, Sort.SCHEDULE, span, "schedule")
    yield from _each(document, What.VARIABLE, Sort.VARIABLE, "variable", span)
    if len(tokens) == 1:
        for key in ("weight_decay", "momentum"):
            yield Candidate(key, Sort.OPTION, span, "an option that the schedule changes")


def _keys(
    document: Document, word: str, tokens: tuple[Token, ...], span: Span
) -> Iterator[Candidate]:
    keys = {token.text for token in tokens if token.kind is Kind.KEY}
    inside = _configured(tokens)
    for key in _possible(document, inside or word, tokens, inside is not None):
        if key not in keys or inside is not None:
            about = key_text(word if word in ("warmup", "schedule") else "rule", key)
            yield Candidate(key, Sort.OPTION, span, "option", about, insert=f"{key}=")


def _configured(tokens: tuple[Token, ...]) -> str | None:
    """The schedule whose parentheses are open, as in `schedule=step(`."""
    depth = 0
    for token in reversed(tokens):
        depth += {")": 1, "(": -1}.get(token.text, 0)
        if depth < 0 and token.kind is Kind.FUNCTION:
            return token.text if token.text in SCHEDULES else None
    return None


def _possible(
    document: Document, word: str, tokens: tuple[Token, ...], configured: bool
) -> Iterable[str]:
    if configured:
        return SCHEDULES[word].options
    if word == "warmup":
        return WARMUP
    if word == "schedule":
        names = [t.text for t in tokens if t.kind is Kind.SCHEDULE]
        kinds = [SCHEDULES[n] for n in names if n in SCHEDULES] or list(SCHEDULES.values())
        return dict.fromkeys(key for kind in kinds for key in kind.options)
    if word == "optimizer":
        target = next((t.text for t in tokens if t.kind is Kind.OPTIMIZER), "")
        known = signature(target)
        return (*(known.constructor if known else torch_options()), *PLAN)
    return dict.fromkeys(("lr", "weight_decay", *_of_optimizers(document), *PLAN, "optimizer"))


def _of_optimizers(document: Document) -> Iterator[str]:
    """The options that the declared optimizers read from groups."""
    targets = (t for t in document.tokens if t.kind is Kind.OPTIMIZER)
    signatures = [known for t in targets if (known := signature(t.text)) is not None]
    for known in signatures:
        yield from known.group or known.constructor
    if not signatures:
        yield from torch_options()


def _values(
    document: Document,
    word: str,
    tokens: tuple[Token, ...],
    span: Span,
    statement: Scanned | None,
) -> Iterator[Candidate]:
    key = _key(tokens)
    if key == "optimizer":
        yield from _each(document, What.OPTIMIZER, Sort.OPTIMIZER, "optimizer", span)
    if key == "schedule":
        yield from (Candidate(name, Sort.SCHEDULE, span, "schedule") for name in SCHEDULES)
    yield from (
        Candidate(value, Sort.VALUE, span, f"a value of {key}") for value in _words_of(word, key)
    )
    yield from _each(document, What.VARIABLE, Sort.VARIABLE, "variable", span)
    if word == "expect" or _argument(tokens):
        yield from _each(document, What.LABEL, Sort.LABEL, "label", span)
    if word == "expect":
        yield Candidate("frozen", Sort.FACT, span, "the number of frozen parameters")
    if word not in ("let", "optimizer", "warmup", "schedule", "expect"):
        yield from _captures(document, tokens, span)
        for fact, about in words.FACTS.items():
            yield Candidate(fact, Sort.FACT, span, "fact", about, rank=1)
    functions = dict.fromkeys((*words.FUNCTIONS, *FUNCTIONS))
    for function in functions:
        about = words.FUNCTIONS.get(function, "")
        yield Candidate(function, Sort.FUNCTION, span, "function", about, f"{function}(", rank=2)
    for constant in (*CONSTANTS, "true", "false", "none"):
        yield Candidate(constant, Sort.CONSTANT, span, "constant", rank=2)


def _each(
    document: Document, what: What, kind: Sort, detail: str, span: Span
) -> Iterator[Candidate]:
    for name in declared(document, what):
        if re.fullmatch(r"[^\W\d]\w*", name.text):
            yield Candidate(name.text, kind, span, detail)


def _captures(document: Document, tokens: tuple[Token, ...], span: Span) -> Iterator[Candidate]:
    rule = Scanned("rule", span, tokens)
    for name in names_of(document.source, (rule,)):
        if name.what is What.CAPTURE and name.declares:
            yield Candidate(name.text, Sort.CAPTURE, span, "captured number")


def _key(tokens: tuple[Token, ...]) -> str:
    """The option whose value is being written."""
    if len(tokens) > 1 and tokens[-1].text in ("=", "*=") and tokens[-2].kind is Kind.KEY:
        return tokens[-2].text
    return ""


def _words_of(word: str, key: str) -> Iterator[str]:
    """The words that an option accepts, taken from the description of its values."""
    tables: list[Mapping[str, tuple[str, object]]] = [PLAN, KINDS]
    if word == "warmup":
        tables = [{name: constraint for name, (constraint, _) in WARMUP.items()}]
    if word == "schedule":
        tables = [
            {name: constraint for name, (constraint, _) in kind.options.items()}
            for kind in SCHEDULES.values()
        ]
    sentences = {table[key][0] for table in tables if key in table and key != "schedule"}
    for sentence in sorted(sentences):
        yield from _WORDS.findall(sentence)


def _argument(tokens: tuple[Token, ...]) -> bool:
    """Whether a call to `count` or `numel` is open."""
    return len(tokens) > 1 and tokens[-1].text == "(" and tokens[-2].text in ("count", "numel")


def _after_label(document: Document, tokens: tuple[Token, ...], span: Span) -> bool:
    """Whether a label and a dot, as in `head.`, come before, in a claim."""
    before = document.text[: span.start]
    match = re.search(r'([^\W\d]\w*|"[^"\n]*")\.$', before)
    return bool(tokens) and tokens[0].text == "expect" and match is not None
