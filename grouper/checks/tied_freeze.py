"""A rule freezes a tied parameter by one of its names, but does not name the others.

Two modules share one tensor (a language model's embedding and its head), so both are frozen. If
that is intended, name both in the rule.

    lm_head.* -> freeze                         # bad if the head is tied to the embedding
    lm_head.* or model.embed_tokens.* -> freeze # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.rule_edits import without_rule
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.match.globs import compile_glob
from grouper.model.inventory import Parameter
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import quoted_list

CODE = Code("GR117", "tied-and-frozen", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each tied parameter that freezing rules match by only some of its names."""
    for assigned in context.assignment.parameters:
        parameter = assigned.parameter
        if not parameter.tied or parameter.trainable is False:
            continue
        freezing = [rule for rule in assigned.rules if rule.freezes]
        named = {n for rule in freezing for n in _named(rule, parameter)}
        others = [name for name in parameter.names if name not in named]
        if named and others and all(_by_name(rule.selector) for rule in freezing):
            yield _finding(context, freezing[0], parameter, sorted(named), others)


def _by_name(selector: tree.Selector | None) -> bool:
    return isinstance(selector, tree.Glob | tree.Exact) or (
        isinstance(selector, tree.Or) and all(map(_by_name, selector.operands))
    )


def _named(rule: Rule, parameter: Parameter) -> set[str]:
    parts = rule.selector.operands if isinstance(rule.selector, tree.Or) else (rule.selector,)
    names = set()
    for part in parts:
        if isinstance(part, tree.Glob):
            test = compile_glob(part)
            names |= {name for name in parameter.names if test(name) is not None}
        elif isinstance(part, tree.Exact):
            names |= {part.name} & set(parameter.names)
    return names


def _finding(
    context: Context, rule: Rule, parameter: Parameter, named: list[str], others: list[str]
) -> Finding:
    both = " or ".join(f'"{name}"' for name in (*named, *others))
    return Finding(
        CODE,
        f"{rule_name(rule)} freezes {quoted_list(named)}, which is tied to {quoted_list(others)}:"
        " it is one tensor, so both are frozen",
        labels_at(rule.span),
        context.names([parameter]),
        help=f"exclude it from the rule, or name both to freeze both: `{both}`",
        candidates=(without_rule(rule),) if len(context.matched[id(rule)]) == 1 else (),
    )
