"""A rule sets the lr of a tied parameter by one of its names.

The head of a language model may be tied to its embedding: raising the head's lr also raises the
embedding's.

    lm_head.* -> head lr*=10                    # bad if the head is tied to the embedding
    lm_head.* or *.embed_tokens.* -> ends lr*=1 # good: names both
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
    """One finding for each rule that sets an lr and matches only tied parameters, by a name that is
    not their first one."""
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
        f"{quoted_list(others)} is tied to `{first}`: {rule_name(rule)} sets the lr of one tensor"
        " for both modules",
        labels_at((rule.selector.span if rule.selector is not None else None) or rule.span),
        context.names([one.parameter]),
        help=f"remove the rule, or name both: `... or {first}`",
        candidates=(without_rule(rule),),
    )
