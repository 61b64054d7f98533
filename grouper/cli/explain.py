"""`grouper explain MODEL RULES NAME`: why a parameter gets its options."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from grouper.cli.exit import CLEAN, Failure
from grouper.cli.flags import (
    Length,
    format_flag,
    model_flags,
    output,
    output_flags,
    rules_flags,
    run_flags,
    run_length,
)
from grouper.cli.load import checked, fitting
from grouper.cli.outcome import planned, print_no_groups, print_warnings
from grouper.cli.write import emit
from grouper.reports.formats import EXPLANATION, FOR_PEOPLE

if TYPE_CHECKING:
    from grouper.reports.explain.explanation import Explanation


EXAMPLES = (
    "grouper explain model.pt my.rules model.24.m.0.bias",
    "grouper explain model.pt my.rules model.24",
    "grouper explain model.pt my.rules '*.bias' --steps 1000 --at 0 --at 500",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("rules", metavar="RULES")
    parser.add_argument("name", metavar="NAME", help="a parameter, a module, or a glob")
    parser.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="STEP",
        help="show the lr at this step of a run; by default, at the key steps",
    )
    run_flags(parser)
    rules_flags(parser)
    model_flags(parser)
    format_flag(parser, EXPLANATION)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    from grouper.reports.explain.explanation import explanation, none_named

    length = run_length(arguments)
    report = checked(arguments) if length is None else fitting(arguments)
    if report.assignment is None:
        return print_no_groups(report, arguments)
    explained = explanation(report, arguments.name)
    if not explained.explained:
        raise Failure(none_named(report, arguments.name))
    at = _at(arguments.at, length)
    if length is not None:
        return _print_over(explained, length, at, arguments)
    emit(EXPLANATION.render(arguments.format, explained, output(arguments)))
    return CLEAN


def _at(texts: list[str], length: Length | None) -> list[int]:
    """The steps of `--at`. Raises Failure for a step outside the run."""
    if not texts:
        return []
    if length is None:
        raise Failure("--at needs --epochs and --steps-per-epoch, or --steps")
    last = length[0] * length[1] - 1
    wrong = [t for t in texts if not (t.isascii() and t.isdigit() and len(t) < 10)]
    wrong = wrong or [text for text in texts if int(text) > last]
    if wrong:
        raise Failure(f"--at takes a step of the run, from 0 to {last}, not `{wrong[0]}`")
    return [int(text) for text in texts]


def _print_over(
    explained: Explanation, length: Length, at: list[int], arguments: argparse.Namespace
) -> int:
    """Print the explanation with the lr over a run."""
    from grouper.reports.explain.explanation import over

    outcome = planned(explained.report, length, arguments, arguments.format not in FOR_PEOPLE)
    if isinstance(outcome, int):
        return outcome
    report, plan = outcome
    emit(EXPLANATION.render(arguments.format, over(explained, plan, at), output(arguments)))
    print_warnings(report, arguments)
    return CLEAN
