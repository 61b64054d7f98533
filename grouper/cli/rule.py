"""`grouper rule [CODE]`: the manual page of a finding."""

from __future__ import annotations

import argparse
import inspect

from grouper.checks.catalog import ALL
from grouper.cli.exit import CLEAN, Failure
from grouper.cli.write import emit
from grouper.text.similar import near


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="such as GR101; all, if left out")


def run(arguments: argparse.Namespace) -> int:
    if arguments.code is None:
        emit("\n".join(f"{code.id} {code.severity.value:<8} {code.name}" for code in ALL))
        return CLEAN
    for code in ALL:
        if arguments.code.upper() == code.id or arguments.code == code.name:
            emit(f"{code.id} {code.name} ({code.severity.value})\n\n{inspect.cleandoc(code.page)}")
            return CLEAN
    likely = near(arguments.code, [word for code in ALL for word in (code.id, code.name)])
    hint = f"; there is `{likely[0]}`" if likely else ""
    raise Failure(f"there is no finding `{arguments.code}`{hint}")
