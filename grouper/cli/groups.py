"""`grouper groups MODEL RULES`: the groups with their options."""

from __future__ import annotations

import argparse

from grouper.cli.exit import status
from grouper.cli.flags import format_flag, model_flags, output, output_flags, rules_flags
from grouper.cli.load import checked
from grouper.cli.write import emit
from grouper.reports.formats import GROUP_NAMES, GROUPS

EXAMPLES = (
    "grouper groups model.pt my.rules",
    "grouper groups model.pt my.rules --names --set base=0.02",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    parser.add_argument("--names", action="store_true", help="list the names of their parameters")
    rules_flags(parser)
    model_flags(parser)
    format_flag(parser, GROUPS)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    report = checked(arguments)
    formats = GROUP_NAMES if arguments.names else GROUPS
    emit(formats.render(arguments.format, report, output(arguments)))
    return status(report)
