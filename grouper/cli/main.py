"""The entry point: runs a command, and turns every way it can end into an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from grouper.cli import streams
from grouper.cli.exit import CLEAN, FAILED, failure_line
from grouper.version import __version__

SIGNALLED = 128  # what shells add to the number of the signal that ended a process
SIGINT, SIGPIPE = 2, 13  # Windows has no SIGPIPE to take the number from
# The commands, a file of this folder each, and what they are for.
COMMANDS = {
    "check": "check rules against a model",
    "groups": "the groups with their options",
    "explain": "why a parameter gets its options",
    "plan": "lr and momentum over a run: a table, curves, CSV, JSON, a picture",
    "emit": "the groups for other programs: JSON, or plain torch code",
    "audit": "check the optimizer in a checkpoint, without rules",
    "diff": "which parameters change group or options",
    "convert": "rules from another tool's configuration",
    "init": "rules to begin with: for a model, or an optimizer's groups as rules",
    "lock": "write down the groups, for `check --locked` to compare",
    "monitor": "a training run recorded by grouper.Monitor, group by group",
    "params": "the parameters of a model",
    "fmt": "format rules files",
    "rule": "the documentation of a finding",
    "rules": "the shipped rules files, or one of them",
    "view": "the report as a page: the model, its groups, the plan",
    "lsp": "the language server, for editors",
    "completion": "a script that completes commands, flags and files",
    "help": "the help of a command",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0 clean, 1 findings, 2 could not run. No command is none that
    could run, and the help is printed.

    Where a process would be ended by a signal, it is 128 and the signal's number: 130 for Ctrl-C,
    141 where nobody reads standard output any more.
    """
    streams.prepare()
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        streams.flush()
        return status
    except BrokenPipeError:
        return SIGNALLED + SIGPIPE
    except KeyboardInterrupt:
        return SIGNALLED + SIGINT
    except Exception as error:
        streams.report(failure_line(error))
        return FAILED
    finally:
        streams.discard(sys.stdout, sys.stderr)


def _run(given: Sequence[str]) -> int:
    """Only what is asked for is imported: the version without the parser, a command alone."""
    if list(given) in (["-V"], ["--version"]):
        with streams.writing(sys.stdout):
            sys.stdout.write(f"grouper {__version__}\n")
        return CLEAN
    from grouper.cli.parser import run

    return run(COMMANDS, given)
