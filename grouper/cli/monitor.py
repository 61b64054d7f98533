"""`grouper monitor RUN.jsonl`: a run that grouper.Monitor wrote, afterwards or as it goes on."""

from __future__ import annotations

import argparse
from dataclasses import replace

from grouper.cli.outcome import (
    CLEAN,
    FOUND,
    Failure,
    drawn,
    emit,
    output_flags,
    picture_format,
    write,
)
from grouper.cli.run_file import RunFile
from grouper.findings import Severity
from grouper.monitor.run import Run
from grouper.monitor.verdicts import Verdict, verdicts


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN.jsonl", help="a file that grouper.Monitor wrote")
    parser.add_argument("--follow", action="store_true", help="show it as it goes on, until Ctrl-C")
    parser.add_argument("--plot", metavar="FILE.png|.svg", help="lr, ratios and norms as a picture")
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.follow:
        return _follow(arguments)
    format = picture_format(arguments.plot) if arguments.plot else ""
    found = RunFile(arguments.run).look()
    said = _judge(found, arguments.strict)
    if format:
        write(arguments.plot, _picture(found, format, arguments.run))
    if arguments.format == "json":
        from grouper.monitor.json import summary_json

        emit(summary_json(found, arguments.run, said))
    else:
        _print(found, said, arguments)
    return _status(said)


def _follow(arguments: argparse.Namespace) -> int:
    if arguments.format == "json":
        raise Failure("--follow shows a run as it goes on; --format json says what came of it")
    if arguments.plot:
        raise Failure("--follow shows a run as it goes on; --plot draws what there is of it")
    from grouper.cli.follow import follow

    said = follow(arguments.run, lambda run: _judge(run, arguments.strict), arguments.color)
    return _status(said)


def _picture(found: Run, format: str, path: str) -> bytes:
    from grouper.monitor.figure import run_picture

    if not found.records:
        raise Failure(f"nothing to draw: no step has been measured yet in `{path}`")
    return drawn(lambda: run_picture(found, format))


def _print(found: Run, said: tuple[Verdict, ...], arguments: argparse.Namespace) -> None:
    from rich.text import Text

    from grouper.monitor.table import plain, report, sentence
    from grouper.reports.terminal import console

    out = console(arguments.color)
    if not arguments.quiet:
        for part in report(found, arguments.run, said, plain(out)):
            out.print(part, soft_wrap=isinstance(part, Text))
        return
    for verdict in said:
        out.print(sentence(verdict), soft_wrap=True)


def _judge(found: Run, strict: bool) -> tuple[Verdict, ...]:
    said = verdicts(found)
    return tuple(replace(v, severity=Severity.ERROR) for v in said) if strict else said


def _status(said: tuple[Verdict, ...]) -> int:
    return FOUND if any(v.severity is Severity.ERROR for v in said) else CLEAN
