"""`grouper audit CHECKPOINT`: check the optimizer in a checkpoint, without rules."""

from __future__ import annotations

import argparse

from grouper.api.audit import audit
from grouper.checks.audit.audit import Audit
from grouper.cli.exit import CLEAN, FOUND, Failure
from grouper.cli.flags import format_flag, model_flags, output, output_flags, selection_flags
from grouper.cli.load import read_model
from grouper.cli.select import selection
from grouper.cli.write import emit
from grouper.reports.formats import AUDIT
from grouper.text.dataclass import replace

EXAMPLES = (
    "grouper audit last.pt",
    "grouper audit last.pt --model model.pt --format json",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help="a file or folder with an optimizer's state, with or without the model",
    )
    parser.add_argument("--model", metavar="MODEL", help="the model, if it is in another file")
    model_flags(parser)
    selection_flags(parser)
    format_flag(parser, AUDIT)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    selected = selection(arguments)
    unfiltered = _audit(arguments)
    filtered = replace(unfiltered, findings=selected.among(unfiltered.findings))
    emit(AUDIT.render(arguments.format, filtered, output(arguments)))
    return CLEAN if filtered.ok else FOUND


def _audit(arguments: argparse.Namespace) -> Audit:
    path = arguments.checkpoint
    model = read_model(arguments.model, arguments.key) if arguments.model is not None else None
    try:
        return audit(path, model, key=arguments.key)
    except FileNotFoundError:
        raise Failure(f"there is no checkpoint `{path}`") from None
    except OSError as error:
        raise Failure(f"`{path}` cannot be read: {error.strerror or error}") from None
