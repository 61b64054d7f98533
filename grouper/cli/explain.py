"""`grouper explain MODEL RULES NAME`: why a parameter gets its options."""

from __future__ import annotations

import argparse

from grouper.cli.exit import CLEAN, Failure
from grouper.cli.flags import format_flag, model_flags, output, output_flags, rules_flags
from grouper.cli.load import checked
from grouper.cli.outcome import print_no_groups
from grouper.cli.write import emit
from grouper.reports.formats import EXPLANATION
from grouper.text.similar import near

EXAMPLES = (
    "grouper explain model.pt my.rules model.24.m.0.bias",
    "grouper explain model.pt my.rules 'model.24.*'",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    parser.add_argument("name", metavar="NAME", help="a parameter's name, or a glob")
    rules_flags(parser)
    model_flags(parser)
    format_flag(parser, EXPLANATION)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    from grouper.reports.explain import explain

    report = checked(arguments)
    if report.assignment is None:
        return print_no_groups(report, arguments)
    explanation = explain(report, arguments.name)
    if not explanation.parameters:
        similar = near(arguments.name, report.inventory.by_name)
        hint = f"; did you mean `{similar[0]}`?" if similar else ""
        raise Failure(f"the model has no parameter `{arguments.name}`{hint}")
    emit(EXPLANATION.render(arguments.format, explanation, output(arguments)))
    return CLEAN
