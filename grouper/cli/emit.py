"""`grouper emit MODEL RULES`: the groups for other programs, as JSON or as plain torch code."""

from __future__ import annotations

import argparse

from grouper.api.plan import plan_of
from grouper.cli.exit import CLEAN
from grouper.cli.flags import (
    format_flag,
    model_flags,
    output,
    output_flags,
    rules_flags,
    run_flags,
    run_length,
)
from grouper.cli.load import fitting
from grouper.cli.outcome import print_no_groups, print_no_plan, print_warnings, with_plan
from grouper.cli.write import emit, emit_paths, write
from grouper.reports.formats import EMITTED, FINDINGS
from grouper.reports.planned import Planned

EXAMPLES = (
    "grouper emit model.pt my.rules --out groups.json",
    "grouper emit model.pt my.rules --as python",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    parser.add_argument(
        "--as", choices=tuple(EMITTED.renderers), default="json", dest="language",
        help="what to write: json (the default) or python",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="write a file")
    run_flags(parser)
    rules_flags(parser)
    model_flags(parser)
    format_flag(parser, FINDINGS)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    length = run_length(arguments)
    report = fitting(arguments)
    if not report.ok or report.grouping is None:
        return print_no_groups(report, arguments, to_program=True)
    try:
        plan = plan_of(report, report.grouping, *length) if length else None
        if plan is not None:
            report = with_plan(report, plan, arguments)
        if not report.ok:
            return print_no_groups(report, arguments, to_program=True)
        text = "".join(EMITTED.render(arguments.language, Planned(report, plan), output(arguments)))
    except ValueError as error:
        return print_no_plan(report, error, arguments, to_program=True)
    if arguments.out is None:
        emit(text)
    else:
        write(arguments.out, text)
        if not arguments.quiet:
            emit_paths([arguments.out])
    print_warnings(report, arguments)
    return CLEAN
