"""Reports as JSON: one object with stable keys (see docs/report.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from grouper.checks.report import Report
from grouper.group.group import Group
from grouper.language.ruleset import Rule
from grouper.match.assignment import Decision, ParameterAssignment
from grouper.model.inventory import Inventory
from grouper.reports.output import Output
from grouper.text.findings import Finding
from grouper.text.json_text import json_pieces, json_text

VERSION = 1


def render_reports(reports: Sequence[Report], output: Output) -> Iterator[str]:
    """One object; for several reports, one per line with the path of its rules."""
    if len(reports) == 1:
        yield from render_report(reports[0], output)
        return
    for report in reports:
        yield json.dumps({"rules": report.rules.path, **report_value(report)}) + "\n"


def render_report(report: Report, _output: Output) -> Iterator[str]:
    return json_pieces(report_value(report))


def render_inventory(inventory: Inventory, _output: Output) -> str:
    from grouper.model.formats.snapshot import dumps

    return dumps(inventory)


def report_json(report: Report) -> str:
    """The report as one JSON object; lines and columns start at 1, columns in code points."""
    return dumps(report_value(report))


def report_value(report: Report) -> dict[str, Any]:
    """The values of the report's JSON object."""
    return {
        "version": VERSION,
        **(_of_model(report) if report.has_model else {}),
        "findings": findings_value(report.findings),
        "ok": report.ok,
    }


def _of_model(report: Report) -> dict[str, Any]:
    grouping, assignment = report.grouping, report.assignment
    assigned = assignment.parameters if assignment else ()
    return {
        "model": model_value(report.inventory),
        "groups": [group_value(group) for group in (grouping.groups if grouping else ())],
        "frozen": [p.name for p in (grouping.frozen if grouping else ())],
        "unmatched": [a.parameter.name for a in assigned if a.uncovered_splits],
        "double_matched": list(_doubles(assigned)),
    }


def findings_value(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [_finding(finding) for finding in findings]


def model_value(inventory: Inventory) -> dict[str, Any]:
    return {
        "path": inventory.path,
        "kind": inventory.kind,
        "key": inventory.key,
        "parameters": len(inventory.parameters),
        "values": inventory.numel,
    }


def dumps(value: object) -> str:
    return json_text(value)


def group_value(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "optimizer": group.optimizer,
        "options": dict(group.options),
        "plan": dict(group.plan),
        "parameters": [parameter.name for parameter in group.parameters],
    }


def _doubles(assigned: Iterable[ParameterAssignment]) -> Iterator[dict[str, Any]]:
    """An object for each parameter that several rules of one block match."""
    known: dict[int, dict[str, Any]] = {}  # by the `id` of decisions, which parameters share
    for parameter, _, decision in assigned:
        double = known.get(id(decision))
        if double is None:
            double = known[id(decision)] = _double(decision)
        if double:
            yield {"parameter": parameter.name, **double}


def _doubled(decision: Decision) -> list[Rule]:
    """The rules that match the parameter together with another rule of their block."""
    blocks: dict[str | None, list[Rule]] = {}
    for rule in decision.combination.rules:
        if not rule.override:
            blocks.setdefault(rule.split, []).append(rule)
    return [rule for rules in blocks.values() if len(rules) > 1 for rule in rules]


def _double(decision: Decision) -> dict[str, Any]:
    rules = _doubled(decision)
    if not rules:
        return {}
    return {
        "rules": [_rule(rule) for rule in rules],
        "composed": not decision.conflicts and not decision.overlapping_splits,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    span = rule.span
    label = rule.label.span.text if rule.label and rule.label.span else None
    return {
        "label": label,
        "file": span.source.path if span else None,
        "line": span.line if span else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    span = finding.span
    return {
        "code": finding.code.id,
        "name": finding.code.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "file": span.source.path if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "parameters": list(finding.parameters),
        "notes": list(finding.notes),
        "help": finding.help,
        "edits": [
            {
                "file": edit.span.source.path,
                "start": edit.span.start,
                "end": edit.span.end,
                "replacement": edit.replacement,
            }
            for edit in finding.edits
        ],
    }
