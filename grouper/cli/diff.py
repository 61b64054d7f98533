"""`grouper diff MODEL RULES_A RULES_B`, `grouper diff MODEL_A MODEL_B RULES`: which parameters
change group or options."""

from __future__ import annotations

import argparse

from grouper.api.check import check
from grouper.api.diff import diff
from grouper.checks.report import Report
from grouper.cli.exit import CLEAN, FOUND, Failure
from grouper.cli.flags import format_flag, model_flags, output, output_flags, set_flag
from grouper.cli.load import load_rules, read_model
from grouper.cli.rules_file import is_rules
from grouper.cli.write import emit
from grouper.reports.formats import DIFF
from grouper.text.printable import visible

EXAMPLES = (
    "grouper diff model.pt old.rules my.rules",
    "grouper diff model.pt last.pt my.rules",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("second", metavar="RULES|MODEL", help="the old rules, or the new model")
    parser.add_argument("rules", metavar="RULES", help="the new rules, or the rules of both models")
    set_flag(parser)
    model_flags(parser)
    format_flag(parser, DIFF)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    first, second, last = arguments.model, arguments.second, arguments.rules
    before = (first, second) if is_rules(second) else (first, last)
    after = (first, last) if is_rules(second) else (second, last)
    difference = diff(_report(arguments, *before), _report(arguments, *after))
    emit(DIFF.render(arguments.format, difference, output(arguments)))
    return CLEAN if difference.same else FOUND


def _report(arguments: argparse.Namespace, model: str, rules: str) -> Report:
    """The report of one side. Raises Failure if it has no groups to compare."""
    report = check(read_model(model, arguments.key), load_rules(rules, arguments.set))
    if not report.ok:
        command = f"`grouper check {visible(model)} {visible(rules)}`"
        raise Failure(f"`{rules}` has errors on `{model}`, so there are no groups; see {command}")
    return report
