"""The passes from rules and an inventory to assignments, in one call."""

from grouper.match.match_rules import match_rules
from grouper.match.resolve_options import resolve_options


def assign(rules, inventory):
    """The assignment, and the findings of all passes."""
    matches = match_rules(rules, inventory)
    assignment = resolve_options(matches)
    return assignment, (*matches.findings, *assignment.findings)
