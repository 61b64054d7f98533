"""The entry point: runs a command, and turns every way it can end into an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from grouper.cli import (
    check,
    completion,
    convert,
    emit,
    explain,
    fmt,
    groups,
    help,
    lsp,
    monitor,
    params,
    plan,
    rule,
    rules,
    streams,
)
from grouper.cli.exit import CLEAN, FAILED, Failure, failure_line
from grouper.cli.parser import build
from grouper.cli.write import emit as print_text
from grouper.model.errors import ModelError

SIGNALLED = 128  # what shells add to the number of the signal that ended a process
SIGINT, SIGPIPE = 2, 13  # Windows has no SIGPIPE to take the number from
COMMANDS = {
    "check": (check, "check rules against a model"),
    "groups": (groups, "the groups with their options"),
    "explain": (explain, "why a parameter gets its options"),
    "plan": (plan, "lr and momentum over a run: a table, curves, CSV, JSON, a picture"),
    "emit": (emit, "the groups for other programs: JSON, or plain torch code"),
    "convert": (convert, "rules from another tool's configuration"),
    "monitor": (monitor, "a training run recorded by grouper.Monitor, group by group"),
    "params": (params, "the parameters of a model"),
    "fmt": (fmt, "format rules files"),
    "rule": (rule, "the documentation of a finding"),
    "rules": (rules, "the shipped rules files, or one of them"),
    "lsp": (lsp, "the language server, for editors"),
    "completion": (completion, "a script that completes commands, flags and files"),
    "help": (help, "the help of a command"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0 clean, 1 findings, 2 could not run. No command is none that
    could run, and the help is printed.

    Where a process would be ended by a signal, it is 128 and the signal's number: 130 for Ctrl-C,
    141 where nobody reads standard output any more.
    """
    streams.prepare()
    try:
        status = _run(arguments)
        streams.flush()
        return status
    except (Failure, ModelError) as failure:
        streams.report(failure_line(failure))
        return FAILED
    except BrokenPipeError:
        return SIGNALLED + SIGPIPE
    except KeyboardInterrupt:
        return SIGNALLED + SIGINT
    finally:
        streams.discard(sys.stdout, sys.stderr)


def _run(arguments: Sequence[str] | None) -> int:
    parser = build(COMMANDS)
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        print_text(parser.format_help())
        return FAILED
    try:
        parsed = parser.parse_args(given)
    except SystemExit:  # after --help and --version
        return CLEAN
    status: int = COMMANDS[parsed.command][0].run(parsed)
    return status
