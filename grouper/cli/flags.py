"""The flags that commands share."""

from __future__ import annotations

import argparse
import sys
from typing import Any, TextIO

from grouper.cli.exit import Failure
from grouper.reports.formats import Formats
from grouper.reports.output import Output

Length = tuple[int, int, bool]  # returned by `run_length`


def files_arguments(parser: argparse.ArgumentParser, about: str) -> None:
    """Adds a model and rules files, or rules files only: what `model_and_rules` tells apart."""
    parser.add_argument("files", nargs="+", metavar="[MODEL] RULES", help=about)
    parser.add_argument("--model", metavar="MODEL", help="the model for all rules files")


def rules_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of every command that reads rules."""
    set_flag(parser)
    selection_flags(parser)


def set_flag(parser: argparse.ArgumentParser) -> None:
    """Adds the flag that sets variables of rules."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="X=EXPR", help="the value of a `let` variable"
    )


def selection_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that choose which findings are reported, and their severity."""
    parser.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        help="whether warnings and notes are errors",
    )
    parser.add_argument("--select", action="append", metavar="CODE", help="report only these codes")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="CODE", help="do not report these codes"
    )


def model_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of every command that reads a model."""
    parser.add_argument("--key", metavar="PATH", help="which model inside a checkpoint")


def format_flag(parser: argparse.ArgumentParser, formats: Formats[Any]) -> None:
    """Adds the flag for the output format."""
    parser.add_argument(
        "--format", choices=tuple(formats.renderers), default="text", help="the output format"
    )


def output_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of every command that prints text."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: colour on a terminal; NO_COLOR and FORCE_COLOR override it",
    )
    much = parser.add_mutually_exclusive_group()
    much.add_argument("-q", "--quiet", action="store_true", help="print only what is wrong")
    much.add_argument(
        "-v", "--verbose", action="store_true", help="print every group, name and digit"
    )


def run_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of commands that plan a run."""
    parser.add_argument("--epochs", metavar="E", help="epochs of the run")
    parser.add_argument("--steps-per-epoch", metavar="N", help="the length of the DataLoader")
    parser.add_argument("--steps", metavar="N", help="the length of the run in optimizer steps")


def output(arguments: argparse.Namespace, stream: TextIO | None = None) -> Output:
    """How text is printed to a stream, by default standard output."""
    return Output.to(stream or sys.stdout, arguments.color, arguments.quiet, arguments.verbose)


def run_length(arguments: argparse.Namespace) -> Length | None:
    """Steps per epoch, epochs, and whether the run was given in steps only; None if no length was
    given."""
    flags = {"--epochs": arguments.epochs, "--steps-per-epoch": arguments.steps_per_epoch}
    missing = [flag for flag, text in flags.items() if text is None]
    if arguments.steps is not None:
        if len(missing) < 2:
            extra = next(flag for flag, text in flags.items() if text is not None)
            raise Failure(f"--steps is the length of the whole run; it cannot go with {extra}")
        return positive_integer("--steps", arguments.steps), 1, True
    if len(missing) == 2:
        return None
    if missing:
        raise Failure(f"{missing[0]} is missing: give both --epochs and --steps-per-epoch")
    epochs, steps = (positive_integer(flag, text) for flag, text in flags.items())
    return steps, epochs, False


def positive_integer(flag: str, text: str) -> int:
    """The value of a flag that takes a positive integer."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise Failure(f"{flag} takes an integer from 1 to 999999999, not `{text}`")
    return int(text)
