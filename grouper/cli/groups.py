"""`grouper groups MODEL RULES`: the groups with their options."""

from __future__ import annotations

import argparse

from grouper.cli.outcome import checked, emit, model_flags, output_flags, rules_flags, status


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    parser.add_argument("--names", action="store_true", help="with the names of their parameters")
    rules_flags(parser)
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    report = checked(arguments)
    if arguments.format == "json":
        from grouper.reports.json import report_json

        emit(report_json(report))
        return status(report)
    from grouper.reports.terminal import console, print_findings, print_groups, print_names

    out = console(arguments.color)
    if report.grouping is not None:
        if arguments.names:
            print_names(report.grouping, out)
        else:
            print_groups(report.grouping, out)
    if not report.ok:
        print_findings(report.findings, out, quiet=True)
    return status(report)
