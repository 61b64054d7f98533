"""`grouper init [MODEL]`: a starter rules file."""

from __future__ import annotations

import argparse
import os
import sys

from grouper.checks.report import Report
from grouper.cli.exit import CLEAN, Failure, status
from grouper.cli.flags import model_flags, output, output_flags
from grouper.cli.load import read_model
from grouper.cli.streams import report as report_line
from grouper.cli.write import emit, emit_paths, emit_utf8, write
from grouper.generate.init.text import Use
from grouper.model.inventory import Inventory
from grouper.text.printable import visible
from grouper.text.write_file import names_stream

EXAMPLES = (
    "grouper init model.pt --out first.rules",
    "grouper init --from last.pt  # the groups of its optimizer, as rules",
    "grouper init model.pt --recipe yolov5 --set base=0.02",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="the model to write rules for")
    parser.add_argument(
        "--from", dest="checkpoint", metavar="CHECKPOINT",
        help="write rules for the groups of the optimizer in a checkpoint",
    )  # fmt: skip
    parser.add_argument("--recipe", metavar="RECIPE", help="start from a shipped file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="X=EXPR",
        help="the value of a recipe's `let` variable",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="write to this file, which must not exist")
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    _refuse(arguments)
    if arguments.recipe is not None:
        return _recipe(arguments)
    if arguments.checkpoint is not None:
        return _write(arguments, _of_checkpoint(arguments))
    from grouper.generate.init.first import first_rules

    inventory = read_model(arguments.model, arguments.key)
    try:
        return _write(arguments, first_rules(inventory, _use(arguments, arguments.model)))
    except ValueError as error:
        raise Failure(str(error)) from None


def _refuse(arguments: argparse.Namespace) -> None:
    """Raises Failure for flags that exclude each other, and for an output file that exists."""
    if arguments.checkpoint is not None and arguments.recipe is not None:
        raise Failure("--from and --recipe exclude each other: give one of them")
    if arguments.model is None and arguments.checkpoint is None and arguments.recipe is None:
        raise Failure("name a model, a checkpoint (`--from`) or a shipped file (`--recipe`)")
    if arguments.set and arguments.recipe is None:
        raise Failure("--set needs --recipe: it sets the recipe's variables")
    out = arguments.out
    if out is not None and os.path.exists(out) and not names_stream(out):
        raise Failure(f"`{out}` already exists: remove it, or choose another name")


def _write(arguments: argparse.Namespace, text: str) -> int:
    if arguments.out is None:
        emit_utf8(text)
        return CLEAN
    write(arguments.out, text)
    if not arguments.quiet:
        emit_paths([arguments.out])
    return CLEAN


def _recipe(arguments: argparse.Namespace) -> int:
    """Write the shipped file; with a model, print its findings to standard error."""
    from grouper.api.check import check
    from grouper.api.rules import parse
    from grouper.generate.init.recipe import recipe_rules

    values = dict(_setting(text) for text in arguments.set)
    model = arguments.model
    inventory = read_model(model, arguments.key) if model is not None else None
    try:
        text = recipe_rules(arguments.recipe, _use(arguments, model), values)
    except ValueError as error:
        raise Failure(str(error)) from None
    _write(arguments, text)
    if inventory is None:
        return CLEAN
    report = check(inventory, parse(text, arguments.out or "<rules>"))
    _print_findings(report, arguments)
    return status(report)


def _print_findings(report: Report, arguments: argparse.Namespace) -> None:
    from grouper.reports.finding_text import findings_text

    if report.findings:
        emit(findings_text(report.findings, output(arguments, sys.stderr)), sys.stderr)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise Failure(f"--set `{text}` is not of the form `name=value`")
    return name.strip(), value


def _of_checkpoint(arguments: argparse.Namespace) -> str:
    """Rules that give the groups of a checkpoint's optimizer."""
    from grouper.generate.init.reproduce import rules_of
    from grouper.generate.init.settings import GUESSED
    from grouper.group.match_groups import match_groups
    from grouper.model.read_optimizer import read_optimizers

    path = arguments.checkpoint
    try:
        saved = read_optimizers(path)
    except FileNotFoundError:
        raise Failure(f"there is no checkpoint `{path}`") from None
    except OSError as error:
        raise Failure(f"`{path}` cannot be read: {error.strerror or error}") from None
    model = arguments.model or saved.model
    if model is None:
        raise Failure(
            f"`{path}` has an optimizer but no model: name the model, `grouper init MODEL --from"
            f" {path}`"
        )
    inventory: Inventory = read_model(model, arguments.key)
    groups = match_groups(saved.optimizers, inventory)
    if any(read.guessed for read in groups):
        report_line(f"note: {visible(path)}: {GUESSED}")
    try:
        return rules_of(inventory, groups, _use(arguments, model))
    except ValueError as error:
        raise Failure(f"`{path}`: {error}") from None


def _use(arguments: argparse.Namespace, model: str | None) -> Use:
    """How the rules will be used. A model that is one file is named in them, relative to the rules
    file, unless a key chooses one of several models in it."""
    out = arguments.out
    file = out if out is not None and not names_stream(out) else "my.rules"
    if model is None:
        return Use("MODEL", file)
    if arguments.key is not None:
        return Use(model, f"{file} --key {arguments.key}")
    if not os.path.exists(model):
        return Use(model, file)
    try:
        relative = os.path.relpath(model, os.path.dirname(file) or ".").replace(os.sep, "/")
    except ValueError:  # another drive
        relative = os.path.abspath(model)
    return Use(model, file, relative)
