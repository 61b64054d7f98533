"""The entry point: runs a command, and turns every way it can end into an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from grouper.cli import (
    check,
    emit,
    explain,
    fmt,
    groups,
    monitor,
    params,
    plan,
    rule,
    rules,
    streams,
    write,
)
from grouper.cli.exit import CLEAN, FAILED, Failure
from grouper.model.errors import ModelError
from grouper.version import __version__

SIGNALLED = 128  # what shells add to the number of the signal that ended a process
SIGINT, SIGPIPE = 2, 13  # Windows has no SIGPIPE to take the number from
COMMANDS = {
    "check": (check, "check rules against a model"),
    "groups": (groups, "the groups with their options"),
    "explain": (explain, "why a parameter gets its options"),
    "plan": (plan, "lr and momentum over a run: a table, curves, CSV, JSON, a picture"),
    "emit": (emit, "the groups for other programs: JSON, or plain torch code"),
    "monitor": (monitor, "a training run recorded by grouper.Monitor, group by group"),
    "params": (params, "the parameters of a model"),
    "fmt": (fmt, "format rules files"),
    "rule": (rule, "the documentation of a finding"),
    "rules": (rules, "the shipped rules files, or one of them"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0 clean, 1 findings, 2 could not run.

    Where a process would be ended by a signal, it is 128 and the signal's number: 130 for Ctrl-C,
    141 where nobody reads standard output any more.
    """
    streams.prepare()
    try:
        status = _run(arguments)
        streams.flush()
        return status
    except (Failure, ModelError) as failure:
        streams.report(_line(failure))
        return FAILED
    except BrokenPipeError:
        return SIGNALLED + SIGPIPE
    except KeyboardInterrupt:
        return SIGNALLED + SIGINT
    finally:
        streams.discard(sys.stdout, sys.stderr)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        parsed = _parser().parse_args(arguments)
    except SystemExit:  # after --help and --version
        return CLEAN
    status: int = COMMANDS[parsed.command][0].run(parsed)
    return status


def _line(failure: Failure | ModelError) -> str:
    from grouper.text.printable import visible

    code, help = "", ""
    if isinstance(failure, ModelError):
        code = f"[{failure.finding.code.id}]"
        help = f"; {failure.finding.help}" if failure.finding.help else ""
    return f"error{code}: {visible(f'{failure}{help}')}"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and which reports output that cannot be written."""

    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message}; see `{self.prog} --help`")

    def _print_message(self, message: str, file: Any = None) -> None:
        write.emit(message, file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="grouper",
        description="Parameter groups for PyTorch optimizers, from rules.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"grouper {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (command, help) in COMMANDS.items():
        command.add(
            commands.add_parser(name, help=help, description=command.__doc__, allow_abbrev=False)
        )
    return parser
