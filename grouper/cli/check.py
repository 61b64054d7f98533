"""`grouper check [MODEL] RULES`: the report."""

from __future__ import annotations

import argparse

from grouper.api import check_rules
from grouper.cli.outcome import (
    Failure,
    checked,
    emit,
    filtered,
    load_rules,
    model_flags,
    output_flags,
    rules_flags,
    status,
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="[MODEL] RULES", help="a model file and rules, or rules alone"
    )
    rules_flags(parser)
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    if len(arguments.files) > 2:
        raise Failure("check takes a model and rules, or rules alone")
    *model, arguments.rules = arguments.files
    if not model:
        return _rules_alone(arguments)
    arguments.model = model[0]
    report = checked(arguments)
    if arguments.format == "json":
        from grouper.reports.json import report_json

        emit(report_json(report))
    else:
        from grouper.reports.terminal import console, print_report

        print_report(report, console(arguments.color), arguments.quiet)
    return status(report)


def _rules_alone(arguments: argparse.Namespace) -> int:
    rules = load_rules(arguments.rules, arguments.set)
    report = filtered(check_rules(rules), arguments)
    if arguments.format == "json":
        from grouper.reports.json import dumps, findings_value

        value = {"version": 1, "findings": findings_value(report.findings), "ok": report.ok}
        emit(dumps(value))
    else:
        from grouper.reports.terminal import closing_line, console, print_findings

        out = console(arguments.color)
        print_findings(report.findings, out, arguments.quiet)
        if not arguments.quiet or not report.ok:
            out.print(closing_line(report.findings, None), soft_wrap=True)
    return status(report)
