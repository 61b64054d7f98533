"""`grouper params MODEL`: the model's parameters, or a snapshot of them."""

from __future__ import annotations

import argparse

from grouper.cli.outcome import CLEAN, emit, model_flags, output_flags, read_model, write


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--tree", action="store_true", help="as a tree of modules")
    parser.add_argument("--save", metavar="FILE.json", help="write a snapshot")
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    from grouper.model.formats.snapshot import dumps

    inventory = read_model(arguments.model, arguments.key)
    if arguments.save:
        write(arguments.save, dumps(inventory))
    elif arguments.format == "json":
        emit(dumps(inventory))
    else:
        from grouper.reports.inventory import print_table, print_tree
        from grouper.reports.terminal import console

        out = console(arguments.color)
        (print_tree if arguments.tree else print_table)(inventory, out)
    return CLEAN
