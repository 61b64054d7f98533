"""`grouper emit MODEL RULES`: the groups for other programs, as JSON or as plain torch code."""

from __future__ import annotations

import argparse

from grouper.checks.report import Report
from grouper.cli.outcome import (
    CLEAN,
    emit,
    fitting,
    model_flags,
    output_flags,
    print_faults,
    print_no_plan,
    rules_flags,
    run_flags,
    run_length,
    write,
)
from grouper.text.printable import visible
from grouper.train.make_plan import make_plan
from grouper.train.plan import Plan


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    parser.add_argument(
        "--as", choices=("json", "python"), default="json", dest="language", help="json, or python"
    )
    parser.add_argument("--out", metavar="FILE", help="write a file")
    run_flags(parser)
    rules_flags(parser)
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    length = run_length(arguments)
    report = fitting(arguments)
    if not report.ok or report.grouping is None:
        return print_faults(report, arguments, stderr=True)
    try:
        plan = make_plan(report.rules, report.grouping, length[1], length[0]) if length else None
        text = _text(report, plan, arguments.language)
    except ValueError as error:
        return print_no_plan(report, error, arguments, stderr=True)
    if arguments.out is None:
        emit(text)
        return CLEAN
    write(arguments.out, text)
    if not arguments.quiet:
        emit(f"wrote {visible(arguments.out)}")
    return CLEAN


def _text(report: Report, plan: Plan | None, language: str) -> str:
    if language == "json":
        from grouper.reports.groups_json import groups_json

        return groups_json(report, plan) + "\n"
    from grouper.reports.python.module import python_code

    return python_code(report, plan)
