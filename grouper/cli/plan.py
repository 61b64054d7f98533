"""`grouper plan MODEL RULES --epochs E --steps-per-epoch N`: lr and momentum over a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from grouper.checks.report import Report
from grouper.cli.outcome import (
    CLEAN,
    Failure,
    drawn,
    emit,
    fitting,
    model_flags,
    output_flags,
    picture_format,
    print_faults,
    print_no_plan,
    rules_flags,
    run_flags,
    run_length,
    whole,
    write,
)
from grouper.findings import Severity
from grouper.text.printable import visible
from grouper.train.make_plan import make_plan
from grouper.train.plan import Plan

STDOUT = "-"
MOST_ROWS = 1_000_000
NOTHING = "the rules leave no parameter to train"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    run_flags(parser)
    for format in ("csv", "json"):
        parser.add_argument(
            f"--{format}", nargs="?", const=STDOUT, metavar="FILE",
            help=f"every step as {format.upper()}, to a file or instead of the table",
        )  # fmt: skip
    parser.add_argument("--plot", metavar="FILE.png|.svg", help="the curves as a figure")
    parser.add_argument("--stride", default="1", metavar="K", help="every Kth step in CSV and JSON")
    rules_flags(parser)
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    length = run_length(arguments)
    if length is None:
        raise Failure("plan needs --epochs and --steps-per-epoch (the length of the loader)")
    if arguments.format == "json" and arguments.json is None:
        arguments.json = STDOUT
    if arguments.json == STDOUT:
        arguments.format = "json"
    stride = _refuse(arguments, *length)
    report = fitting(arguments)
    if not report.ok or report.grouping is None:
        return print_faults(report, arguments, stderr=arguments.csv == STDOUT)
    try:
        plan = make_plan(report.rules, report.grouping, length[1], length[0])
    except ValueError as error:
        return print_no_plan(report, error, arguments, stderr=arguments.csv == STDOUT)
    if arguments.csv or arguments.json or arguments.plot:
        _write(report, plan, stride, arguments)
    else:
        _print(report, plan, arguments)
    return CLEAN


def _refuse(arguments: argparse.Namespace, epochs: int, steps: int) -> int:
    """Refuse what cannot be written, before anything is read; the stride, else."""
    stride = whole("--stride", arguments.stride)
    if arguments.csv == STDOUT and arguments.json == STDOUT:
        raise Failure("--csv and --json cannot both go to standard output: name a file for one")
    rows = epochs * steps // stride
    if (arguments.csv or arguments.json) and rows > MOST_ROWS:
        enough = -(-epochs * steps // MOST_ROWS)
        raise Failure(f"{rows:,} steps are too many to write; take fewer: --stride {enough}")
    if arguments.plot:
        picture_format(arguments.plot)
    return stride


def _write(report: Report, plan: Plan, stride: int, arguments: argparse.Namespace) -> None:
    if arguments.plot:
        write(arguments.plot, _figure(plan, picture_format(arguments.plot)))
        _say(arguments.plot, arguments)
    if arguments.csv:
        from grouper.reports.plan.csv import plan_csv

        _text(arguments.csv, plan_csv(plan, stride), arguments)
    if arguments.json:
        from grouper.reports.plan.json import plan_json

        _text(arguments.json, plan_json(report, plan, stride), arguments)


def _text(path: str, pieces: Iterable[str], arguments: argparse.Namespace) -> None:
    if path == STDOUT:
        sys.stdout.writelines(pieces)
    else:
        write(path, pieces)
        _say(path, arguments)


def _say(path: str, arguments: argparse.Namespace) -> None:
    """Name a file that was written, unless standard output is for a program."""
    if not arguments.quiet and STDOUT not in (arguments.csv, arguments.json):
        emit(f"wrote {visible(path)}")


def _figure(plan: Plan, format: str) -> bytes:
    from grouper.reports.plan.figure import plan_figure
    from grouper.reports.plan.tracks import tracks_of

    tracks = tracks_of(plan)
    if not tracks:
        raise Failure(f"nothing to draw: {NOTHING}")
    return drawn(lambda: plan_figure(plan, tracks, format))


def _print(report: Report, plan: Plan, arguments: argparse.Namespace) -> None:
    from grouper.reports.plan.curves import print_curves
    from grouper.reports.plan.table import print_table
    from grouper.reports.plan.tracks import tracks_of
    from grouper.reports.terminal import console, print_findings, print_model

    out = console(arguments.color)
    if arguments.quiet:
        print_findings(report.findings, out, quiet=True)
        return
    print_model(report.inventory, out)
    tracks = tracks_of(plan)
    if not tracks:
        out.print(f"  {NOTHING}, so there is nothing to plan")
        return
    print_table(plan, tracks, out)
    print_curves(plan, tracks, out)
    if any(finding.severity is Severity.WARNING for finding in report.findings):
        out.print()
        print_findings(report.findings, out, quiet=True)
