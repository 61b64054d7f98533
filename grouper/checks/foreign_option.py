"""Edits the keys of other tools in `optimizer` statements."""

from __future__ import annotations

import re

from grouper.language.ruleset import Optimizer
from grouper.options.foreign import FOREIGN
from grouper.options.values import value_text
from grouper.text.findings import Edit, Fix
from grouper.text.source import Span

BETAS = (0.9, 0.999)  # torch's defaults


def says(key: str, what: str) -> bool:
    """Whether a key of another tool corresponds to an option."""
    foreign = FOREIGN.get(key) or FOREIGN.get(key.lower())
    return foreign is not None and (foreign.key == what or f"`{what}=" in foreign.says)


def edit_in_statement(declared: Optimizer, key: str) -> Fix:
    """The edit that translates an option, if its value can be kept."""
    place = declared.spans.get(key)
    if place is None:
        return ()
    if re.fullmatch(r"(adam_)?beta[12]", key):
        return _betas(declared, key, place)
    foreign = FOREIGN.get(key) or FOREIGN.get(key.lower())
    if foreign is None or foreign.key is None or foreign.operator != "=":
        return ()
    if foreign.key in declared.options or not place.text.startswith(f"{key}="):
        return ()
    value = place.text.removeprefix(f"{key}=")
    return (Edit(place, f"{foreign.key}={value}{foreign.suffix}"),)


def _betas(declared: Optimizer, key: str, place: Span) -> Fix:
    """Both betas as one tuple, in place of the first one."""
    prefix = key[:-1]
    spans = [declared.spans.get(f"{prefix}{n}") for n in (1, 2)]
    if "betas" in declared.options or place.start != min(s.start for s in spans if s is not None):
        return ()
    values = (declared.options.get(f"{prefix}{n}", BETAS[n - 1]) for n in (1, 2))
    edits = [Edit(place, f"betas=({', '.join(map(value_text, values))})")]
    for span in spans:
        if span is not None and span != place:
            edits.append(Edit(_with_space_before(span), ""))
    return tuple(edits)


def _with_space_before(span: Span) -> Span:
    text = span.source.text[: span.start]
    return Span(span.source, len(text.rstrip(" \t")), span.end)
