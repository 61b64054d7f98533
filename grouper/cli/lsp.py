"""`grouper lsp`: the language server for editors, over standard input and output."""

from __future__ import annotations

import argparse
import gc

from grouper.cli.exit import CLEAN, Failure


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="MODEL", help="the model for rules files without a `for` statement"
    )
    parser.add_argument(
        "--stdio", action="store_true", help="communicate over standard streams (the default)"
    )


def run(arguments: argparse.Namespace) -> int:
    try:
        from grouper.editor.run import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise Failure("the language server needs pygls: `pip install pygls`") from None
    gc.enable()  # the entry point turned it off for a process that ends soon
    serve(arguments.model)
    return CLEAN
