"""`grouper params MODEL`: the model's parameters, or a snapshot of them."""

from __future__ import annotations

import argparse

from grouper.cli.exit import CLEAN
from grouper.cli.flags import format_flag, model_flags, output, output_flags
from grouper.cli.load import read_model
from grouper.cli.write import emit, write
from grouper.reports.formats import PARAMETER_TREE, PARAMETERS

EXAMPLES = (
    "grouper params model.pt",
    "grouper params model.pt --save snapshot.json",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--tree", action="store_true", help="as a tree of modules")
    parser.add_argument("--save", metavar="FILE.json", help="write a snapshot")
    model_flags(parser)
    format_flag(parser, PARAMETERS)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    inventory = read_model(arguments.model, arguments.key)
    if arguments.save is not None:
        write(arguments.save, PARAMETERS.render("json", inventory, output(arguments)))
        return CLEAN
    formats = PARAMETER_TREE if arguments.tree else PARAMETERS
    emit(formats.render(arguments.format, inventory, output(arguments)))
    return CLEAN
