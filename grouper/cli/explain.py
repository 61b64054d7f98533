"""`grouper explain MODEL RULES NAME`: why a parameter gets what it gets."""

from __future__ import annotations

import argparse

from grouper.cli.outcome import (
    CLEAN,
    FOUND,
    Failure,
    checked,
    emit,
    model_flags,
    output_flags,
    rules_flags,
)
from grouper.text.similar import near


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    parser.add_argument("name", metavar="NAME", help="a parameter's name, or a glob")
    rules_flags(parser)
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    from grouper.reports.explain import chosen, explanation, explanation_value

    report = checked(arguments)
    if report.assignment is None:
        from grouper.reports.terminal import console, print_findings

        print_findings(report.findings, console(arguments.color))
        return FOUND
    found = chosen(report, arguments.name)
    if not found:
        likely = near(arguments.name, report.inventory.by_name)
        hint = f"; there is `{likely[0]}`" if likely else ""
        raise Failure(f"the model has no parameter `{arguments.name}`{hint}")
    if arguments.format == "json":
        from grouper.reports.json import dumps

        emit(dumps({"version": 1, "parameters": [explanation_value(report, a) for a in found]}))
    else:
        from grouper.text.printable import visible

        emit("\n".join(visible(line) for a in found for line in explanation(report, a)))
    return CLEAN
