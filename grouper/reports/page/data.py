"""The page's data as JSON: each name once, and shared values by number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from grouper.checks.module_kinds import last_part
from grouper.checks.report import Report
from grouper.language.ruleset import Rule
from grouper.language.shipped import title_of
from grouper.model.inventory import Inventory
from grouper.options.values import value_text
from grouper.reports.explain.explanation import Explained, Explanation, explanation
from grouper.reports.explain.text import derivation_lines
from grouper.reports.explain.words import Words
from grouper.reports.json import findings_value, model_value
from grouper.text.source import Source
from grouper.train.plan import Plan

FROZEN, UNMATCHED, UNTRAINED = -1, -2, -3  # why in no group: rules freeze, no rule, model freezes
MOST_STEPS = 2_000  # in the plan's curves


def page_data(report: Report, plan: Plan | None) -> dict[str, Any]:
    """The report in the form that the page's script reads."""
    whole = explanation(report, "*") if report.assignment else Explanation(report, ())
    explained, rules = whole.explained, report.rules.rules
    words, number_of = Words(report.rules), {id(rule): i for i, rule in enumerate(rules)}
    return {
        "model": model_value(report.inventory),
        "groups": [
            {
                "name": group.name,
                "options": [[key, value_text(value)] for key, value in group.options.items()],
                "tensors": len(group.parameters),
                "numel": sum(parameter.numel or 0 for parameter in group.parameters),
            }
            for group in (report.grouping.groups if report.grouping else ())
        ],
        "parameters": _parameters(report, explained),
        "classes": _classes(report.inventory),
        "derivations": [
            {
                "text": _text(derivation_lines(each, whole, words)),
                "rules": [number_of[id(match.rule)] for match in each.first.matches],
            }
            for each in explained
        ],
        "rules": [_rule(explained, rule) for rule in rules],
        "files": [
            {"path": source.path, "title": title_of(source.path), "text": source.text}
            for source in _sources(report)
        ],
        "findings": findings_value(report.findings),
        "plan": _plan(plan) if plan else None,
    }


def _text(lines: Iterable[Text]) -> str:
    return "\n".join(line.plain for line in lines).strip("\n")


def _parameters(report: Report, explained: tuple[Explained, ...]) -> list[list[Any]]:
    """A row for each parameter, in the model's order: name, shape, size, group, derivation."""
    group_of = {
        id(parameter): number
        for number, group in enumerate(report.grouping.groups if report.grouping else ())
        for parameter in group.parameters
    }
    frozen = {id(parameter) for parameter in (report.grouping.frozen if report.grouping else ())}
    derivation_of = {
        id(assigned.parameter): number
        for number, each in enumerate(explained)
        for assigned in each.alike
    }
    rows = []
    for parameter in report.inventory.parameters:
        key = id(parameter)
        left_out = FROZEN if key in frozen else UNMATCHED if parameter.trainable else UNTRAINED
        shape = "" if parameter.shape is None else "x".join(map(str, parameter.shape)) or "scalar"
        group, derivation = group_of.get(key, left_out), derivation_of.get(key, 0)
        rows.append([parameter.name, shape, parameter.numel or 0, group, derivation])
    return rows


def _classes(inventory: Inventory) -> dict[str, str]:
    """The class of each module that has parameters inside, without its package."""
    modules = inventory.modules or {}
    return {
        path: last_part(modules[path].cls)
        for path in inventory.children
        if path in modules and modules[path].cls
    }


def _rule(explained: tuple[Explained, ...], rule: Rule) -> dict[str, Any]:
    matched = (each for each in explained if any(m.rule is rule for m in each.first.matches))
    span = rule.span  # None for a rule that was created in Python
    return {
        "file": span.source.path if span else "",
        "line": span.line if span else 0,
        "end_line": span.end_line if span else 0,
        "tensors": sum(len(each.alike) for each in matched),
    }


def _sources(report: Report) -> Iterator[Source]:
    """The files of the rules and findings, each once."""
    spans = [rule.span for rule in report.rules.rules if rule.span]
    spans += [label.span for finding in report.findings for label in finding.labels]
    yield from {span.source.path: span.source for span in spans}.values()


def _plan(plan: Plan) -> dict[str, Any]:
    """lr and momentum at every step or, for a long run, at evenly spaced steps."""
    last, points = plan.steps - 1, min(plan.steps, MOST_STEPS)
    steps = sorted({round(i * last / max(points - 1, 1)) for i in range(points)})
    values = plan.over(steps)
    return {
        "length": plan.steps,
        "steps": steps,
        "groups": [
            {"name": name, "lr": each["lr"], "momentum": each.get("momentum")}
            for name, each in values.items()
        ],
    }
