"""`grouper monitor RUN.jsonl`: a run recorded by grouper.Monitor, live or afterwards."""

from __future__ import annotations

import argparse
import gc
from dataclasses import replace
from functools import partial

from grouper.cli.exit import CLEAN, FOUND, Failure
from grouper.cli.flags import format_flag, output, output_flags
from grouper.cli.run_file import RunFile
from grouper.cli.write import drawn, emit, picture_format, write
from grouper.monitor.formats import RUN, JudgedRun
from grouper.monitor.run import Run
from grouper.monitor.verdicts import Verdict, verdicts
from grouper.reports.formats import FOR_PEOPLE
from grouper.text.findings import Severity

EXAMPLES = (
    "grouper monitor run.jsonl",
    "grouper monitor run.jsonl --follow",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN.jsonl", help="a file that grouper.Monitor wrote")
    parser.add_argument("--follow", action="store_true", help="follow the run until Ctrl-C")
    parser.add_argument("--plot", metavar="FILE.png|.svg", help="lr, ratios and norms as a picture")
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    format_flag(parser, RUN)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.follow:
        return _follow(arguments)
    format = picture_format(arguments.plot) if arguments.plot else ""
    recorded = RunFile(arguments.run).look()
    judged = JudgedRun(recorded, arguments.run, _verdicts(recorded, arguments.strict))
    if format:
        write(arguments.plot, _picture(judged, format))
    emit(RUN.render(arguments.format, judged, output(arguments)))
    return _status(judged.verdicts)


def _follow(arguments: argparse.Namespace) -> int:
    if arguments.format not in FOR_PEOPLE:
        raise Failure("--format cannot be used with --follow, which shows a live run")
    if arguments.plot:
        raise Failure("--plot cannot be used with --follow, which shows a live run")
    from grouper.cli.follow import follow

    gc.enable()  # the entry point turned it off for a process that ends soon
    judge = partial(_verdicts, strict=arguments.strict)
    return _status(follow(arguments.run, judge, arguments.color))


def _picture(judged: JudgedRun, format: str) -> bytes:
    from grouper.monitor.figure import run_picture

    if not judged.run.records:
        raise Failure(f"nothing to draw: no step has been measured yet in `{judged.path}`")
    return drawn(lambda: run_picture(judged.run, format))


def _verdicts(run: Run, strict: bool) -> tuple[Verdict, ...]:
    judged = verdicts(run)
    return tuple(replace(v, severity=Severity.ERROR) for v in judged) if strict else judged


def _status(judged: tuple[Verdict, ...]) -> int:
    return FOUND if any(v.severity is Severity.ERROR for v in judged) else CLEAN
