"""A word for a kind of parameters is also in the names of matrices.

`*bias*` takes `relative_attention_bias.weight`, the embedding of an attention, and `*norm*` the
projections of an adaptive norm: matrices, which then miss their decay or start warm-up as biases
do.

    *bias* -> bias weight_decay=0               # bad on a T5
    *.bias -> bias weight_decay=0               # good
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.context import Context
from grouper.checks.literal_parts import words_anywhere
from grouper.checks.module_kinds import Kind
from grouper.checks.trained import Trained
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at

CODE = Code("GR305", "word-takes-matrices", Severity.WARNING, __doc__ or "")

WORDS = ("bias", "norm", "bn", "ln")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each word of a rule that sets a kind apart and takes matrices with it."""
    for rule in context.rules.rules:
        for word, selector in words_anywhere(rule.selector):
            if word.strip("._").lower() not in WORDS:
                continue
            taken = map(id, context.taken(rule, selector))
            trained = context.trained_by_id
            members = [trained[one] for one in taken if one in trained]
            matrices = [one for one in members if _is_matrix(context, rule, one)]
            few = len(matrices) * 2 < len(members) + 2 or word.strip("._").lower() == "bias"
            if matrices and few and _decides(rule):
                yield _finding(context, rule, word, selector, matrices)


def _decides(rule: Rule) -> bool:
    return any(
        option.key in ("weight_decay", "lr", "warmup_start", "optimizer", "freeze")
        for option in rule.options
    )


def _is_matrix(context: Context, rule: Rule, one: Trained) -> bool:
    """Matrices of layers; where a rate depends on it, bare tables too: sparing those from decay is
    Swin's own recipe."""
    if (one.parameter.ndim or 0) < 2:
        return False
    if one.kind in (Kind.LINEAR, Kind.CONV, Kind.EMBEDDING):
        return _has_other_decay(context, rule, one)
    return any(option.key in ("lr", "warmup_start", "optimizer") for option in rule.options)


def _has_other_decay(context: Context, rule: Rule, one: Trained) -> bool:
    """Whether the rule gives the matrix what others of its kind do not have."""
    keys = [option.key for option in rule.options if option.key != "freeze"]
    others = (o for o in context.trained if o.kind is one.kind and o.group is not one.group)
    return any(other.value(key) != one.value(key) for other in others for key in keys)


def _finding(
    context: Context, rule: Rule, word: str, selector: tree.Selector, found: Sequence[Trained]
) -> Finding:
    cls = context.kinds.class_name(found[0].parameter)
    owned = f", of a `{cls}`" if cls else ""
    place = selector.span or rule.span
    exact = f"*.{word.strip('._')}" if "bias" in word else "@*Norm*"
    return Finding(
        CODE,
        f"`{word}` anywhere in a name also takes {_matrices(found)}: `{found[0].name}`{owned}",
        labels_at(place),
        tuple(one.name for one in found),
        help=f"take the last part of the name or the class: `{exact}`; `ndim <= 1` are vectors",
        candidates=_candidates(context, rule, selector, word, exact),
    )


def _matrices(found: Sequence[Trained]) -> str:
    return "1 matrix" if len(found) == 1 else f"{len(found):,} matrices"


def _candidates(
    context: Context, rule: Rule, selector: tree.Selector, word: str, exact: str
) -> tuple[Fix, ...]:
    """The narrowest change: the word at the end of a name, where that leaves out matrices alone;
    else only what is no matrix of what the word takes."""
    whole = rule.selector.span if rule.selector is not None else None
    place = selector.span or whole
    if place is None:
        return ()
    bare = word.strip("._")
    regex = f"/{bare}$/" if isinstance(selector, tree.Regex) else f"*{bare}"
    ends = [regex, f"*.{bare}"] if "bias" in word else []
    taken = context.selected(selector)
    vectors = {id(p) for p in context.parameters(taken) if (p.ndim or 0) < 2}
    for text in ends:
        if context.selected(parse_selector(text)) == vectors:
            return ((Edit(place, text),),)
    return ((Edit(place, exact),),)
