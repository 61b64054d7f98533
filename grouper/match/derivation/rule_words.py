"""A rule as it is named where its line is named as well."""

from __future__ import annotations

from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import rule_cells
from grouper.text.printable import shortened

LONGEST = 48


def rule_words(rule: Rule) -> str:
    """What a rule is for, and its label: `else -> body`, `in @Detect and *.bias`."""
    written = tree.Rule(
        rule.selector, rule.label, (), rule.otherwise, rule.override, rule.condition
    )
    words, arrow = rule_cells(written)
    return f"{shortened(words, LONGEST)} {arrow if rule.label else ''}".strip()
