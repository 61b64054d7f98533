"""From text to rules: a RuleSet of a text, of a file, or of what a caller passes as `rules`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from grouper.api.errors import GroupingError
from grouper.checks.pipeline import has_errors
from grouper.checks.report import Report
from grouper.language.resolve import resolve
from grouper.language.ruleset import RuleSet
from grouper.model.inventory import NO_MODEL
from grouper.options.values import Value
from grouper.text.arguments import require, require_values
from grouper.text.source import Source

Rules: TypeAlias = RuleSet | Report | str | Path


def parse(text: str, path: str = "<string>", /, **variables: Value) -> RuleSet:
    """The rule set of a text; messages name `path` as its file. Keywords set `let` variables.

    Never raises for errors in the text: `findings` has them, and `check` reports them.
    """
    require("text", text, str, "the text of rules")
    require("path", path, str, "a str")
    require_values(variables)
    return resolve.resolve(Source(text, path), variables)


def load(rules: str | Path, /, **variables: Value) -> RuleSet:
    """The rule set of a file, or of a shipped file by its name. Keywords set `let` variables.

    Raises FileNotFoundError where there is no such file; errors in it are in `findings`.
    """
    require("rules", rules, (str, Path), "the path of a rules file, or a shipped file's name")
    if isinstance(rules, str) and ("->" in rules or "\n" in rules):
        raise ValueError(
            "`rules` must be the path of a rules file, not the text of one:"
            " `grouper.parse(text)` reads that"
        )
    require_values(variables)
    return resolve.load(rules, variables)


def rules_to_train(rules: RuleSet | str | Path, variables: Mapping[str, Value]) -> RuleSet:
    """The rules that a trainer is given, for the integrations.

    Raises FileNotFoundError as `load` does, TypeError for variables beside a RuleSet, and
    GroupingError where the rules have errors without any model.
    """
    if isinstance(rules, RuleSet) and variables:
        raise TypeError("a RuleSet has its variables already: pass them to grouper.load")
    rule_set = rules if isinstance(rules, RuleSet) else load(rules, **variables)
    if has_errors(rule_set):
        raise GroupingError(Report(rule_set, NO_MODEL, rule_set.findings))
    return rule_set


def rule_set_of(rules: Rules) -> RuleSet:
    if isinstance(rules, Report):
        return rules.rules
    if isinstance(rules, RuleSet):
        return rules
    expected = "a RuleSet, a Report, the path of a rules file, or a shipped file's name"
    require("rules", rules, (str, Path), expected)
    return load(rules)
