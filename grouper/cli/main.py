"""The entry point: runs a command, and turns every way it can end into an exit status."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from grouper.cli import check, emit, explain, fmt, groups, monitor, params, plan, rule
from grouper.cli.exit import FAILED, Failure
from grouper.model.errors import ModelError
from grouper.version import __version__

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
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0 clean, 1 findings, 2 could not run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may not be encodable
            stream.reconfigure(errors="backslashreplace")
    parsed = _parser().parse_args(arguments)
    try:
        status: int = COMMANDS[parsed.command][0].run(parsed)
        sys.stdout.flush()
        return status
    except (Failure, ModelError) as failure:
        return _failed(failure)
    except BrokenPipeError:
        # The reader has gone: nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return 130


def _failed(failure: Exception) -> int:
    from grouper.text.printable import visible

    message = str(failure)
    code, help = "", ""
    if isinstance(failure, ModelError):
        code = f"[{failure.finding.code.id}]"
        help = f"; {failure.finding.help}" if failure.finding.help else ""
    print(f"error{code}: {visible(message + help)}", file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grouper", description="Parameter groups for PyTorch optimizers, from rules."
    )
    parser.add_argument("--version", action="version", version=f"grouper {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (command, help) in COMMANDS.items():
        command.add(commands.add_parser(name, help=help, description=command.__doc__))
    return parser
