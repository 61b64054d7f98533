"""`grouper rule [CODE]`: the documentation of a finding, or a list of all."""

from __future__ import annotations

import argparse

from grouper.checks import pages
from grouper.cli.exit import CLEAN, Failure
from grouper.cli.write import emit

EXAMPLES = (
    "grouper rule GR101",
    "grouper rule unmatched-parameter",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "code",
        nargs="?",
        metavar="CODE",
        help="a code such as GR101, or its name; by default, a list of all",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.code is None:
        emit("\n".join(f"{row.code} {row.severity:<8} {row.name}" for row in pages.ROWS))
        return CLEAN
    row = pages.find(arguments.code)
    if row is None:
        raise Failure(f"there is no finding `{arguments.code}`{_hint(arguments.code)}")
    emit(f"{row.code} {row.name} ({row.severity})\n\n{pages.page(row)}")
    return CLEAN


def _hint(word: str) -> str:
    from grouper.text.similar import near

    similar = near(word, [known for row in pages.ROWS for known in (row.code, row.name)])
    return f"; did you mean `{similar[0]}`?" if similar else ""
