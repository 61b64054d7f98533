"""A word for a kind of parameters also matches names of matrices.

`*bias*` matches `relative_attention_bias.weight`, an embedding in attention layers, and `*norm*`
matches the projections of adaptive norms. These matrices then do not decay, or start their warm-up
like biases.

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
    """One finding for each word of a rule for a kind of parameters that also matches matrices."""
    for rule in context.rules.rules:
        for word, selector in words_anywhere(rule.selector):
            if word.strip("._").lower() not in WORDS:
                continue
            ids = map(id, context.taken(rule, selector))
            trained = context.trained_by_id
            members = [trained[one] for one in ids if one in trained]
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
    """Whether it is a matrix of a layer or, if the rule sets an lr, another table: Swin's recipe
    exempts tables from decay."""
    if (one.parameter.ndim or 0) < 2:
        return False
    if one.kind in (Kind.LINEAR, Kind.CONV, Kind.EMBEDDING):
        return _has_other_decay(context, rule, one)
    return any(option.key in ("lr", "warmup_start", "optimizer") for option in rule.options)


def _has_other_decay(context: Context, rule: Rule, one: Trained) -> bool:
    """Whether the rule gives the matrix other values than other parameters of its kind have."""
    keys = [option.key for option in rule.options if option.key != "freeze"]
    others = (o for o in context.trained if o.kind is one.kind and o.group is not one.group)
    return any(other.value(key) != one.value(key) for other in others for key in keys)


def _finding(
    context: Context, rule: Rule, word: str, selector: tree.Selector, members: Sequence[Trained]
) -> Finding:
    cls = context.kinds.class_name(members[0].parameter)
    owner = f", of a `{cls}`" if cls else ""
    place = selector.span or rule.span
    exact = f"*.{word.strip('._')}" if "bias" in word else "@*Norm*"
    return Finding(
        CODE,
        f"`{word}` anywhere in a name also matches {_matrices(members)}:"
        f" `{members[0].name}`{owner}",
        labels_at(place),
        tuple(one.name for one in members),
        help=f"select by the last part of the name or by class: `{exact}`; `ndim <= 1` selects"
        " vectors",
        candidates=_candidates(context, rule, selector, word, exact),
    )


def _matrices(members: Sequence[Trained]) -> str:
    return "1 matrix" if len(members) == 1 else f"{len(members):,} matrices"


def _candidates(
    context: Context, rule: Rule, selector: tree.Selector, word: str, exact: str
) -> tuple[Fix, ...]:
    """The smallest change: the word only at the end of a name if that excludes exactly the
    matrices, or else the exact selector."""
    whole = rule.selector.span if rule.selector is not None else None
    place = selector.span or whole
    if place is None:
        return ()
    bare = word.strip("._")
    regex = f"/{bare}$/" if isinstance(selector, tree.Regex) else f"*{bare}"
    ends = [regex, f"*.{bare}"] if "bias" in word else []
    matched = context.selected(selector)
    vectors = {id(p) for p in context.parameters(matched) if (p.ndim or 0) < 2}
    for text in ends:
        if context.selected(parse_selector(text)) == vectors:
            return ((Edit(place, text),),)
    return ((Edit(place, exact),),)
