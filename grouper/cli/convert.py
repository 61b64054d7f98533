"""`grouper convert FILE`: rules from another tool's configuration."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from grouper.cli.exit import Failure, status
from grouper.cli.flags import model_flags, output, output_flags
from grouper.cli.load import read_model
from grouper.cli.streams import report as report_line
from grouper.cli.write import emit, emit_paths, emit_utf8, write
from grouper.text.printable import visible

if TYPE_CHECKING:
    from grouper.generate.convert.convert import Conversion


class _Systems:
    """The names of the systems, imported only when they are iterated over."""

    def __iter__(self) -> Iterator[str]:
        from grouper.generate.convert.systems import SYSTEMS

        return iter(SYSTEMS)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .yaml, .json, .toml or .py configuration")
    parser.add_argument(
        "--from", choices=_Systems(), dest="system", metavar="SYSTEM",
        help="the tool it is for, if its keys do not show it: %(choices)s",
    )  # fmt: skip
    parser.add_argument(
        "--at", metavar="PATH", help="which part of the file, if several are possible: `a.b[0]`"
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a model, to fill in what the file leaves open and to check the rules",
    )
    parser.add_argument("--out", metavar="FILE", help="write a file")
    model_flags(parser)
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    from grouper.generate.convert.convert import convert_file
    from grouper.generate.convert.errors import ConvertError

    model = arguments.model
    inventory = read_model(model, arguments.key) if model is not None else None
    try:
        conversion = convert_file(arguments.file, arguments.system, inventory, arguments.at)
    except ConvertError as error:
        raise Failure(_with_file(str(error), arguments.file)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"`{arguments.file}` cannot be read: {reason}") from None
    if arguments.out is None:
        emit_utf8(conversion.text)
    else:
        write(arguments.out, conversion.text)
        if not arguments.quiet:
            emit_paths([arguments.out])
    _print_problems(conversion, arguments)
    return status(conversion.report)


def _with_file(message: str, file: str) -> str:
    return message if message.startswith(f"`{file}`") else f"`{file}`: {message}"


def _print_problems(conversion: Conversion, arguments: argparse.Namespace) -> None:
    from grouper.reports.finding_text import findings_text

    for text in conversion.lost:
        report_line(f"note: {visible(text)}")
    findings = conversion.report.findings
    if findings:
        emit(findings_text(findings, output(arguments, sys.stderr)), sys.stderr)
