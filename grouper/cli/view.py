"""`grouper view MODEL [RULES]`: the report as a page, in a file or served on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from grouper.api.plan import plan_of
from grouper.checks.report import Report
from grouper.cli.exit import CLEAN, Failure
from grouper.cli.flags import model_flags, output_flags, rules_flags, run_flags, run_length
from grouper.cli.load import fitting, read_model
from grouper.cli.serve import serve
from grouper.cli.write import emit, emit_paths, write
from grouper.language.ruleset import RuleSet

STDOUT = "-"
HIGHEST_PORT = 65_535

EXAMPLES = (
    "grouper view model.pt my.rules --epochs 100 --steps-per-epoch 500",
    "grouper view model.pt my.rules --serve",
    "grouper view model.pt --out model.html",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES", nargs="?")
    parser.add_argument(
        "--out", metavar="FILE", help="the file to write; by default, named after RULES or MODEL"
    )
    parser.add_argument(
        "--serve", nargs="?", const=0, type=int, metavar="PORT",
        help="serve the page to browsers on this machine until Ctrl-C instead of writing a file",
    )  # fmt: skip
    run_flags(parser)
    rules_flags(parser)
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.serve is not None and not 0 <= arguments.serve <= HIGHEST_PORT:
        raise Failure(f"--serve takes a port from 0 to {HIGHEST_PORT}, not {arguments.serve}")
    if arguments.serve is not None and arguments.out is not None:
        raise Failure("--serve writes no file: give either --out or --serve")
    page = _page(arguments)
    if arguments.serve is not None:
        serve(page, arguments.serve, quiet=arguments.quiet)
        return CLEAN
    out = arguments.out or f"{Path(arguments.rules or arguments.model).stem}.html"
    if out == STDOUT:
        emit(page)
        return CLEAN
    write(out, page)
    if not arguments.quiet:
        emit_paths([out])
    return CLEAN


def _page(arguments: argparse.Namespace) -> str:
    from grouper.reports.page.page import html_page

    length = run_length(arguments)
    if arguments.rules is None:
        inventory = read_model(arguments.model, arguments.key)
        return html_page(Report(RuleSet((), path=""), inventory, ()))
    report = fitting(arguments)
    if not report.ok or report.grouping is None or length is None:
        return html_page(report)
    try:
        return html_page(report, plan_of(report, report.grouping, *length))
    except ValueError as error:
        raise Failure(f"these groups have no plan: {error}") from None
