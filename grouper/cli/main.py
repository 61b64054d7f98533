"""The entry point: runs a command and turns its outcome into an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from grouper.cli import streams
from grouper.cli.exit import CLEAN, FAILED, failure_line
from grouper.version import __version__

SIGNALLED = 128  # shells add this to the number of the signal that ended a process
SIGINT, SIGPIPE = 2, 13  # literal numbers: `signal.SIGPIPE` does not exist on Windows
# The commands and their help. Each is a module in this folder.
COMMANDS = {
    "check": "check rules against a model",
    "groups": "the groups with their options",
    "explain": "why a parameter gets its options",
    "plan": "lr and momentum over a run: a table, curves, CSV, JSON, a picture",
    "emit": "the groups for other programs: JSON, or plain torch code",
    "audit": "check the optimizer in a checkpoint, without rules",
    "diff": "which parameters change group or options",
    "convert": "rules from another tool's configuration",
    "init": "starter rules: for a model, or from an optimizer's groups",
    "lock": "record the groups, for `check --locked` to compare",
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
    """Run a command and return its exit status: 0 clean, 1 findings, 2 could not run. Without a
    command, print the help and return 2.

    Where a signal would end the process, the status is 128 plus the signal's number: 130 for
    Ctrl-C, 141 for a closed standard output.
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


def _run(words: Sequence[str]) -> int:
    """Run a command, importing only what it needs: `--version` does not need the parser."""
    if list(words) in (["-V"], ["--version"]):
        with streams.writing(sys.stdout):
            sys.stdout.write(f"grouper {__version__}\n")
        return CLEAN
    from grouper.cli.parser import run

    return run(COMMANDS, words)
