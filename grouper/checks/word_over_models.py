"""A rule for a part of one model also matches the part of another model.

text_encoder.* -> text lr=5e-6
unet.*         -> unet
*attn*         -> attention lr*=2           # bad: also the text encoder's attention
unet.*attn*    -> attention lr*=2           # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.literal_parts import one_word
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR307", "word-over-models", Severity.WARNING, __doc__ or "")

KINDS = ("norm", "bias", "bn", "ln", "embed")  # words that mean the same in every model


def check(context: Context) -> Iterator[Finding]:
    """One finding for each `*word*` with an lr that matches two models with separate rules."""
    wholes = [(rule, top) for rule in context.rules.rules if (top := _whole_model(rule))]
    if len(wholes) < 2:
        return
    for rule in context.rules.rules:
        selector = rule.selector
        word = one_word(selector) if isinstance(selector, tree.Glob) else None
        if word is None or rule.otherwise or not any(o.key == "lr" for o in rule.options):
            continue
        taken: dict[str, list[str]] = {}
        names = [p.name for p in context.members[id(rule)]]
        for _, top in wholes:
            taken[top] = [name for name in names if name.startswith(top)]
        taken = {top: names_of for top, names_of in taken.items() if names_of}
        if len(taken) > 1 and word.strip("._").lower() not in KINDS and _are_disjoint(word, taken):
            yield _finding(rule, word, taken)


def _whole_model(rule: Rule) -> str | None:
    """The path of a rule `path.*`, with its dot."""
    if not isinstance(rule.selector, tree.Glob):
        return None
    match rule.selector.pieces:
        case (tree.Text(text=text), tree.Star()) if text.endswith("."):
            return text
        case _:
            return None


def _are_disjoint(word: str, by_model: dict[str, list[str]]) -> bool:
    """Whether the modules with the word have different names in each model."""
    called = [
        {part for name in names for part in name.split(".") if word.strip("._") in part}
        for names in by_model.values()
    ]
    return not set.intersection(*called)


def _finding(rule: Rule, word: str, by_model: dict[str, list[str]]) -> Finding:
    span = rule.selector.span if rule.selector is not None else None
    models = sorted(by_model, key=lambda top: -len(by_model[top]))
    counts = ", ".join(f"{count_phrase(by_model[top])} of `{top}*`" for top in models)
    fixes = tuple((Edit(span, f"{top}*{word}*"),) for top in models) if span is not None else ()
    return Finding(
        CODE,
        f"`*{word}*` matches {counts}",
        labels_at(span or rule.span),
        help="limit it to one model: " + " or ".join(f"`{top}*{word}*`" for top in models),
        candidates=fixes,
    )
