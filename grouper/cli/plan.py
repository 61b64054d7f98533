"""`grouper plan MODEL RULES --epochs E --steps-per-epoch N`, or `--steps N`: lr and momentum over a
run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from grouper.cli.exit import CLEAN, Failure
from grouper.cli.flags import (
    format_flag,
    model_flags,
    output,
    output_flags,
    positive_integer,
    rules_flags,
    run_flags,
    run_length,
)
from grouper.cli.load import fitting
from grouper.cli.outcome import planned, print_warnings
from grouper.cli.write import drawn, emit, emit_paths, picture_format, write
from grouper.reports.formats import FINDINGS, PLAN
from grouper.reports.output import Output
from grouper.reports.planned import Planned
from grouper.text.dataclass import replace
from grouper.train.plan import Plan

STDOUT = "-"
MOST_ROWS = 1_000_000
FOR_PROGRAMS = ("csv", "json")

EXAMPLES = (
    "grouper plan model.pt my.rules --epochs 100 --steps-per-epoch 500",
    "grouper plan model.pt my.rules --epochs 100 --steps-per-epoch 500 --csv --stride 100",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    run_flags(parser)
    for format in FOR_PROGRAMS:
        parser.add_argument(
            f"--{format}", nargs="?", const=STDOUT, metavar="FILE",
            help=f"write every step as {format.upper()}, to a file or instead of the table",
        )  # fmt: skip
    parser.add_argument("--plot", metavar="FILE.png|.svg", help="draw the curves as a figure")
    parser.add_argument("--stride", default="1", metavar="K", help="every Kth step in CSV and JSON")
    parser.add_argument(
        "--ascii", action="store_true", help="draw without braille, which some fonts lack"
    )
    rules_flags(parser)
    model_flags(parser)
    format_flag(parser, PLAN)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    length = run_length(arguments)
    if length is None:
        raise Failure(
            "plan needs --epochs and --steps-per-epoch (the length of the DataLoader), or --steps"
        )
    files = _files(arguments)
    stride = _stride(arguments, files, length[0] * length[1])
    to_program = arguments.format not in FINDINGS.renderers
    outcome = planned(fitting(arguments), length, arguments, to_program)
    if isinstance(outcome, int):
        return outcome
    report, plan = outcome
    _write(Planned(report, plan, stride), files, arguments)
    if to_program or files or arguments.plot:
        print_warnings(report, arguments)
    return CLEAN


def _files(arguments: argparse.Namespace) -> Mapping[str, str]:
    """The files to write, by format; `arguments.format` becomes that of standard output."""
    paths = {name: getattr(arguments, name) for name in FOR_PROGRAMS}
    to_stdout = [name for name, path in paths.items() if path == STDOUT]
    if len({*to_stdout, *({arguments.format} - {"text"})}) > 1:
        raise Failure("only one format can go to standard output: name a file for the other")
    arguments.format = to_stdout[0] if to_stdout else arguments.format
    return {name: path for name, path in paths.items() if path not in (None, STDOUT)}


def _stride(arguments: argparse.Namespace, files: Mapping[str, str], steps: int) -> int:
    """The stride. Raises Failure for output that cannot be written, before anything is read."""
    stride = positive_integer("--stride", arguments.stride)
    rows = steps // stride
    if (files or arguments.format in FOR_PROGRAMS) and rows > MOST_ROWS:
        enough = -(-steps // MOST_ROWS)
        raise Failure(f"{rows:,} steps are too many to write; use --stride {enough}")
    if arguments.plot:
        picture_format(arguments.plot)
    return stride


def _write(planned: Planned, files: Mapping[str, str], arguments: argparse.Namespace) -> None:
    """Write the files, and to standard output a format for programs, the names of the files, or
    text."""
    if arguments.plot:
        write(arguments.plot, _figure(planned.course, picture_format(arguments.plot)))
    for name, path in files.items():
        write(path, PLAN.render(name, planned, output(arguments)))
    paths = [path for path in (arguments.plot, *files.values()) if path]
    if arguments.format in FOR_PROGRAMS or not paths:
        emit(PLAN.render(arguments.format, planned, _output(arguments)))
    elif not arguments.quiet:
        emit_paths(paths)


def _output(arguments: argparse.Namespace) -> Output:
    usual = output(arguments)
    return replace(usual, encoding="ascii") if arguments.ascii else usual


def _figure(plan: Plan, format: str) -> bytes:
    from grouper.reports.plan.figure import plan_figure
    from grouper.reports.plan.tracks import NOTHING_TO_TRAIN, tracks_of

    tracks = tracks_of(plan)
    if not tracks:
        raise Failure(f"nothing to draw: {NOTHING_TO_TRAIN}")
    return drawn(lambda: plan_figure(plan, tracks, format))
