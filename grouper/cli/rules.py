"""`grouper rules [NAME]`: lists the shipped rules files, or prints one of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from grouper.cli.exit import CLEAN, Failure
from grouper.cli.write import emit
from grouper.language.shipped import shipped_rules
from grouper.text.similar import near


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="a shipped file; by default, a list of all"
    )


def run(arguments: argparse.Namespace) -> int:
    files = shipped_rules()
    if arguments.name is None:
        names = [name for name in files if not name.endswith(".rules")]
        width = max(map(len, names))
        emit("\n".join(f"{name:<{width}}  {_about(files[name])}" for name in names))
        return CLEAN
    if arguments.name not in files:
        similar = near(arguments.name, files)
        hint = f"; did you mean `{similar[0]}`?" if similar else "; `grouper rules` lists them"
        raise Failure(f"there are no shipped rules `{arguments.name}`{hint}")
    emit(files[arguments.name].read_text("utf-8").rstrip("\n"))
    return CLEAN


def _about(path: Path) -> str:
    """The first line of the file, which describes it."""
    return path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
