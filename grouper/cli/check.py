"""`grouper check [MODEL] RULES...`: the report on each rules file."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Sequence

from grouper.api.check import check, check_rules
from grouper.checks.report import Report
from grouper.cli.exit import CLEAN, FOUND, Failure
from grouper.cli.flags import (
    files_arguments,
    format_flag,
    model_flags,
    output,
    output_flags,
    rules_flags,
)
from grouper.cli.load import load_rules, read_model
from grouper.cli.rules_file import STDIN, is_rules
from grouper.cli.select import selection
from grouper.cli.settings import settings_for
from grouper.cli.write import append, emit
from grouper.language.ruleset import RuleSet
from grouper.reports.formats import PAGE_FILES, PAGES, REPORTS

EXAMPLES = (
    "grouper check model.pt my.rules",
    "grouper check --model snapshot.json rules/*.rules",
    "grouper check my.rules --format github",
    "grouper check model.pt my.rules --watch",
    "grouper check model.pt my.rules --diff",
    "grouper check --locked model.pt my.rules",
)


def add(parser: argparse.ArgumentParser) -> None:
    files_arguments(parser, "a model, and rules files to check against it; or rules files alone")
    parser.add_argument(
        "--watch", action="store_true", help="check again whenever a file changes, until Ctrl-C"
    )
    parser.add_argument("--fix", action="store_true", help="apply the safe edits, then check")
    parser.add_argument(
        "--diff", action="store_true", help="show the safe edits without changing a file"
    )
    parser.add_argument(
        "--locked", action="store_true", help="fail if the groups differ from RULES.lock"
    )
    rules_flags(parser)
    model_flags(parser)
    format_flag(parser, REPORTS)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    if not arguments.watch:
        return _check(arguments)
    from grouper.cli.watch import watch
    from grouper.cli.watched_files import watched_files

    gc.enable()  # the entry point turned it off for a process that ends soon
    model, names = model_and_rules(arguments)
    return watch(lambda: _check(arguments), lambda: watched_files(model, names, arguments.locked))


def _check(arguments: argparse.Namespace) -> int:
    reports = reports_of(arguments)
    if arguments.fix or arguments.diff:
        reports = _fixed(arguments, reports)
        if arguments.diff:
            return CLEAN if all(report.ok for report in reports) else FOUND
    emit(REPORTS.render(arguments.format, reports, output(arguments)))
    _write_page(arguments, reports)
    return CLEAN if all(report.ok for report in reports) else FOUND


def _fixed(arguments: argparse.Namespace, reports: list[Report]) -> list[Report]:
    """The reports after the safe edits; with `--diff`, the edits are printed instead of applied."""
    from grouper.cli.fix import MOST_ROUNDS, fixed, print_diff, write_fixed

    names = [name for name in model_and_rules(arguments)[1] if os.path.isfile(name)]
    if arguments.diff:
        print_diff(fixed(reports, names))
        return reports
    for _ in range(MOST_ROUNDS):
        texts = fixed(reports, names)
        if not texts:
            break
        write_fixed(texts)
        reports = reports_of(arguments)
    return reports


def reports_of(arguments: argparse.Namespace) -> list[Report]:
    """The reports on the rules files of the arguments, one for each of their models."""
    return [report for _, reports in reports_by_file(arguments) for report in reports]


def reports_by_file(arguments: argparse.Namespace) -> list[tuple[str, list[Report]]]:
    """The reports, paired with the name of each rules file."""
    model, names = model_and_rules(arguments)
    selections = [selection(arguments, name) for name in names]
    rule_sets = [load_rules(name, arguments.set) for name in names]
    inventory = None if model is None else read_model(model, arguments.key)
    by_file = []
    for name, rules, selected in zip(names, rule_sets, selections, strict=True):
        if inventory is None:
            reports = _alone(name, rules, arguments.key)
        else:
            reports = [check(inventory, rules)]
        if getattr(arguments, "locked", False):
            from grouper.cli.locked import compared

            reports = compared(name, reports)
        by_file.append((name, [selected.of(report) for report in reports]))
    return by_file


def _write_page(arguments: argparse.Namespace, reports: Sequence[Report]) -> None:
    """Writes the page of a format that has one, if its environment variable names a file."""
    path = os.environ.get(PAGE_FILES.get(arguments.format, ""))
    if path:
        append(path, PAGES.render(arguments.format, reports, output(arguments)))


def _alone(name: str, rules: RuleSet, key: str | None) -> list[Report]:
    """The reports on rules without a model on the command line: one for each model that the project
    or else their `for` statements name, or one without a model."""
    project = settings_for(name).of(name)
    models = project.models or rules.models
    if not models:
        return [check_rules(rules)]
    inventories = [
        read_model(path, key or project.key, by_rules=not project.models) for path in models
    ]
    return [check(inventory, rules) for inventory in inventories]


def model_and_rules(arguments: argparse.Namespace) -> tuple[str | None, list[str]]:
    """The model, if any, and the rules files. The first of several arguments is the model, unless
    it is a rules file or `--model` is given."""
    model, names = arguments.model, arguments.files
    if model is None and len(names) > 1 and not is_rules(names[0]):
        model, *names = names
    if names.count(STDIN) > 1:
        raise Failure("standard input can be read only once: give `-` once")
    return model, names
