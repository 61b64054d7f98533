"""`grouper lock [MODEL] RULES...`: records the groups, for `check --locked` to compare."""

from __future__ import annotations

import argparse

from grouper.cli.check import reports_by_file
from grouper.cli.exit import CLEAN, FOUND
from grouper.cli.flags import files_arguments, model_flags, output, output_flags, rules_flags
from grouper.cli.locked import lock_path, locked_models
from grouper.cli.write import emit, emit_paths, write
from grouper.group.lock_text import lock_text
from grouper.reports.formats import REPORTS

EXAMPLES = (
    "grouper lock model.pt my.rules",
    "grouper lock --model model.pt rules/*.rules  # default: the models that the rules name",
    "grouper check --locked model.pt my.rules",
)


def add(parser: argparse.ArgumentParser) -> None:
    files_arguments(parser, "a model, and rules files; or rules files that name their models")
    rules_flags(parser)
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    by_file = reports_by_file(arguments)
    failed = [report for _, reports in by_file for report in reports if not report.ok]
    if failed:
        emit(REPORTS.render("text", failed, output(arguments)))
        return FOUND
    texts = {
        lock_path(name): lock_text(name, locked_models(name, reports)) for name, reports in by_file
    }
    for path, text in texts.items():
        write(path, text)
    if not arguments.quiet:
        emit_paths(texts)
    return CLEAN
