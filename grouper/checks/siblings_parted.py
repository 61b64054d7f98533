"""The weight and the bias of one layer train at different rates, and nobody asked for that.

A rule names `fc.weight`, and `fc.bias` falls to another one.

    model.fc.weight -> head lr=0.1              # bad: the bias trains at the body's rate
    else            -> body lr=0.01
    model.fc.*      -> head lr=0.1              # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.literal_parts import globs_of
from grouper.checks.rule_edits import with_selector
from grouper.checks.trained import Trained
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.match.classes import owner_path
from grouper.options.values import value_text
from grouper.text.printable import count_phrase

CODE = Code("GR313", "siblings-parted", Severity.WARNING, __doc__ or "")

MOST_MODULES = 3  # a rule for the weights of more of them means weights


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that names weights of few layers and leaves their biases."""
    frozen = {id(parameter) for parameter in context.grouping.frozen}
    for rule in context.rules.rules:
        if rule.override or not any(option.key in ("lr", "freeze") for option in rule.options):
            continue
        if not _names_weights(rule.selector):
            continue
        members = [p for p in context.inventory.parameters if id(p) in context.matched[id(rule)]]
        if not members or len(members) > MOST_MODULES:
            continue
        owners = {owner_path(p.name, context.inventory.modules) for p in members}
        left = []
        for one in context.trained:
            owner = owner_path(one.name, context.inventory.modules)
            if owner in owners and id(one.parameter) not in context.matched[id(rule)]:
                left.append(one)
        first = context.trained_by_id.get(id(members[0]))
        mine = None if first is None else first.value("lr")
        apart = [one for one in left if first is None or one.value("lr") != mine]
        if apart and (first is not None or id(members[0]) in frozen):
            yield _finding(rule, members[0].name, mine, apart)


def _names_weights(selector: tree.Selector | None) -> bool:
    if isinstance(selector, tree.Exact):
        return selector.name.endswith(".weight")
    globs = list(globs_of(selector))
    return bool(globs) and all(_names_one_weight(glob) for glob in globs)


def _names_one_weight(glob: tree.Glob) -> bool:
    """Whether a glob spells a module out, so that it is no rule for weights everywhere."""
    last = glob.pieces[-1] if glob.pieces else None
    ends = isinstance(last, tree.Text) and last.text.endswith(".weight")
    return ends and not any(isinstance(piece, tree.Star) for piece in glob.pieces)


def _finding(rule: Rule, name: str, lr: object, left: list[Trained]) -> Finding:
    other = left[0]
    span = rule.selector.span if rule.selector is not None else None
    text = span.text if span is not None else name
    better = text.removesuffix("weight") + "*" if text.endswith(".weight") else f"{text}.*"
    mine = "is frozen" if lr is None else f"trains at {value_text(lr)}"  # type: ignore[arg-type]
    theirs = value_text(other.value("lr"))
    return Finding(
        CODE,
        f"`{name}` {mine}, and {count_phrase(left)} of the same layer at {theirs}:"
        f" `{other.name}` is not in {rule_name(rule)}",
        labels_at(span or rule.span),
        tuple(one.name for one in left),
        help=f"take the whole layer: `{better}`",
        candidates=(with_selector(rule, better),) if text.endswith(".weight") else (),
    )
