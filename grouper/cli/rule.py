"""`grouper rule [CODE]`: the documentation of a finding, or a list of all."""

from __future__ import annotations

import argparse
import inspect

from grouper.checks.catalog import ALL
from grouper.cli.exit import CLEAN, Failure
from grouper.cli.write import emit
from grouper.text.similar import near

EXAMPLES = (
    "grouper rule GR101",
    "grouper rule unmatched-parameter",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "code",
        nargs="?",
        metavar="CODE",
        help="a code such as GR101, or its name; without it, all",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.code is None:
        emit("\n".join(f"{code.id} {code.severity.value:<8} {code.name}" for code in ALL))
        return CLEAN
    for code in ALL:
        if arguments.code.upper() == code.id or arguments.code == code.name:
            emit(f"{code.id} {code.name} ({code.severity.value})\n\n{inspect.cleandoc(code.page)}")
            return CLEAN
    similar = near(arguments.code, [word for code in ALL for word in (code.id, code.name)])
    hint = f"; did you mean `{similar[0]}`?" if similar else ""
    raise Failure(f"there is no finding `{arguments.code}`{hint}")
