"""A rule gives a rate to a shared parameter by one of its names.

A language model's head may be its embedding. Whoever raises the head's lr raises the embedding's.

    lm_head.* -> head lr*=10                    # bad where the head is tied to the embedding
    lm_head.* or *.embed_tokens.* -> ends lr*=1 # good: the file says that it knows
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.rule_edits import option_of, without_rule
from grouper.checks.trained import Trained
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.match.globs import compile_glob
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import quoted_list

CODE = Code("GR120", "tied-by-one-name", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that sets an lr and takes nothing but tied parameters, by a name
    that is not their first one."""
    for rule in context.rules.rules:
        if not isinstance(rule.selector, tree.Glob) or option_of(rule, "lr") is None:
            continue
        members = [o for o in context.trained if id(o.parameter) in context.matched[id(rule)]]
        if members and all(_is_second(rule.selector, one) for one in members):
            yield _finding(context, rule, members[0])


def _is_second(glob: tree.Glob, one: Trained) -> bool:
    names = one.parameter.names
    return len(names) > 1 and compile_glob(glob)(names[0]) is None


def _finding(context: Context, rule: Rule, one: Trained) -> Finding:
    first, *others = one.parameter.names
    return Finding(
        CODE,
        f"{quoted_list(others)} is `{first}`, tied: one tensor, whose lr {rule_name(rule)} sets"
        " for both modules",
        labels_at((rule.selector.span if rule.selector is not None else None) or rule.span),
        context.names([one.parameter]),
        help=f"leave the rule out, or name both: `... or {first}`",
        candidates=(without_rule(rule),),
    )
