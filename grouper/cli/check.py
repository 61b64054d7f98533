"""`grouper check [MODEL] RULES`: the report."""

from __future__ import annotations

import argparse

from grouper.api import check_rules
from grouper.cli.exit import Failure, status
from grouper.cli.flags import format_flag, model_flags, output, output_flags, rules_flags
from grouper.cli.load import checked, filtered, load_rules
from grouper.cli.write import emit
from grouper.reports.formats import REPORT


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="[MODEL] RULES", help="a model file and rules, or rules alone"
    )
    rules_flags(parser)
    model_flags(parser)
    format_flag(parser, REPORT)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    if len(arguments.files) > 2:
        raise Failure("check takes a model and rules, or rules alone")
    *model, arguments.rules = arguments.files
    if model:
        arguments.model = model[0]
        report = checked(arguments)
    else:
        report = filtered(check_rules(load_rules(arguments.rules, arguments.set)), arguments)
    emit(REPORT.render(arguments.format, report, output(arguments)))
    return status(report)
