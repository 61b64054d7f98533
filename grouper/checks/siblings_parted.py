"""The weight and the bias of one layer train at different rates, probably by mistake.

A rule names `fc.weight`, and another rule matches `fc.bias`.

    model.fc.weight -> head lr=0.1              # bad: the bias trains at the body's rate
    else            -> body lr=0.01
    model.fc.*      -> head lr=0.1              # good
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grouper.checks.context import Context, rule_name
from grouper.checks.verified_edits import apply
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.match.classes import owner_path
from grouper.model.inventory import Parameter
from grouper.options.values import Value, rounded_text
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR313", "siblings-parted", Severity.WARNING, __doc__ or "")

QUOTE = '"'
FROZEN = "frozen"
MOST_MODULES = 3  # a rule for the weights of more modules is meant for weights


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that names weights of few layers and omits their biases."""
    rates: Mapping[int, Value] = {}
    for rule in context.rules.rules:
        if rule.override or not any(option.key in ("lr", "freeze") for option in rule.options):
            continue
        named = tuple(_weights(rule.selector))
        matched = frozenset[int]().union(*map(context.selected, named))
        if not matched or len(matched) > MOST_MODULES:
            continue
        members = context.parameters(matched)
        rates = rates or _rates(context)
        if id(members[0]) not in rates:
            continue
        mine = rates[id(members[0])]
        owners = dict.fromkeys(owner_path(p.name, context.inventory.modules) for p in members)
        apart = [
            p
            for owner in owners
            for p in context.by_owner[owner]
            if id(p) not in matched and rates.get(id(p), mine) != mine
        ]
        if apart:
            yield _finding(rule, named, members[0].name, (mine, rates[id(apart[0])]), apart)


def _rates(context: Context) -> Mapping[int, Value]:
    """The lr of each parameter that is trained or frozen by rules, by its `id`."""
    frozen = {id(p) for p in context.grouping.frozen if p.trainable is not False}
    rates: dict[int, Value] = dict.fromkeys(frozen, FROZEN)
    return rates | {id(one.parameter): one.value("lr") for one in context.trained}


def _weights(selector: tree.Selector | None) -> Iterator[tree.Glob | tree.Exact]:
    """Names and globs of a single weight, also inside of `not`."""
    match selector:
        case tree.Exact(name=name) if name.endswith(".weight"):
            yield selector
        case tree.Glob() if _names_one_weight(selector):
            yield selector
        case tree.Not(operand=operand):
            yield from _weights(operand)
        case tree.Or(operands=operands) | tree.And(operands=operands):
            for operand in operands:
                yield from _weights(operand)
        case _:
            pass


def _names_one_weight(glob: tree.Glob) -> bool:
    """Whether a glob names a module's weight in full, without wildcards."""
    last = glob.pieces[-1] if glob.pieces else None
    ends = isinstance(last, tree.Text) and last.text.endswith(".weight")
    return ends and not any(isinstance(piece, tree.Star) for piece in glob.pieces)


def _finding(
    rule: Rule,
    named: Sequence[tree.Glob | tree.Exact],
    name: str,
    rates: tuple[Value, Value],
    others: list[Parameter],
) -> Finding:
    mine = _fate(rates[0], 1)
    theirs = _fate(rates[1], len(others))
    fix = tuple(Edit(one.span, _layer(one.span.text)) for one in named if one.span is not None)
    return Finding(
        CODE,
        f"`{name}` {mine}, but {count_phrase(others)} of the same layer {theirs}:"
        f" `{others[0].name}` is not matched by {rule_name(rule)}",
        labels_at((rule.selector.span if rule.selector is not None else None) or rule.span),
        tuple(p.name for p in others),
        help=f"select the whole layer: `{_edited(rule, fix)}`",
        candidates=(fix,) if fix else (),
    )


def _fate(rate: Value, count: int) -> str:
    """How `count` parameters are trained, in words."""
    if rate == FROZEN:
        return "is frozen" if count == 1 else "are frozen"
    return f"{'trains' if count == 1 else 'train'} at {rounded_text(rate)}"


def _edited(rule: Rule, fix: Fix) -> str:
    """The rule's selector after the edits."""
    span = rule.selector.span if rule.selector is not None else None
    if span is None:
        return ""
    text = apply(span.source.text, fix)
    return text[span.start : span.end + len(text) - len(span.source.text)]


def _layer(text: str) -> str:
    """The pattern of a weight, extended to its whole layer."""
    return f"{text.strip(QUOTE).removesuffix('weight')}*"
