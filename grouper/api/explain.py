"""From a report to the explanation of some of its parameters."""

from __future__ import annotations

from grouper.api.check import Model, check
from grouper.api.errors import GroupingError
from grouper.api.rules import Rules
from grouper.checks.report import Report
from grouper.reports.explain.explanation import Explanation, explanation, none_named
from grouper.text.arguments import require


def explain(model: Model, rules: Rules, name: str, *, key: str | None = None) -> Explanation:
    """Where each option of some parameters comes from: its arithmetic and the rules behind it.

    `name` is a parameter's name, a module's path, or a glob. `model`, `rules` and `key` are those
    of `check`; a report in place of rules is explained as it is. Printed, it is what `grouper
    explain` prints; `explained` has the derivations, those that are equal once. Raises ValueError
    where nothing is called so, and GroupingError where the rules file itself has errors.
    """
    require("name", name, str, "a parameter's name, a module's path, or a glob")
    report = rules if isinstance(rules, Report) else check(model, rules, key=key)
    if report.assignment is None:
        raise GroupingError(report)
    explained = explanation(report, name)
    if not explained.explained:
        raise ValueError(none_named(report, name))
    return explained
