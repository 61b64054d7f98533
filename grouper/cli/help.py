"""`grouper help [COMMAND]`: what `grouper COMMAND --help` prints."""

from __future__ import annotations

import argparse

from grouper.cli.exit import CLEAN, Failure
from grouper.cli.parser import subparsers
from grouper.cli.write import emit
from grouper.text.similar import near

EXAMPLES = ("grouper help check",)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("about", nargs="?", metavar="COMMAND", help="a command; by default, all")


def run(arguments: argparse.Namespace) -> int:
    commands = subparsers(arguments.tree)
    if arguments.about is None:
        emit(arguments.tree.format_help())
    elif arguments.about in commands:
        emit(commands[arguments.about].format_help())
    else:
        similar = near(arguments.about, commands)
        hint = f"; did you mean `{similar[0]}`?" if similar else ""
        raise Failure(f"there is no command `{arguments.about}`{hint}")
    return CLEAN
