"""`grouper fmt RULES...`: rewrites rules files in canonical form."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from grouper.cli.exit import CLEAN, FOUND, Failure
from grouper.cli.flags import output, output_flags
from grouper.cli.write import emit, write
from grouper.language.resolve.includes import read
from grouper.language.syntax.parser import parse
from grouper.text.source import Source


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="RULES", help="files, or - for standard input")
    parser.add_argument(
        "--check", action="store_true", help="change no file; exit status 1 if one would change"
    )
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    worst = CLEAN
    for name in arguments.files:
        worst = max(worst, _one(name, arguments))
    return worst


def _one(name: str, arguments: argparse.Namespace) -> int:
    source = _source(name)
    parsed = parse(source)
    if parsed.findings:
        from grouper.reports.finding_text import print_findings

        text = output(arguments, sys.stderr).printed(partial(print_findings, parsed.findings))
        emit(text, sys.stderr)
        return FOUND
    from grouper.language.syntax.format import format_file

    text = format_file(parsed.file, source)
    if arguments.check:
        if text != source.text and not arguments.quiet:
            emit(f"would reformat {name}")
        return FOUND if text != source.text else CLEAN
    if name == "-":
        sys.stdout.write(text)
    elif text != source.text:
        write(name, text)
        if not arguments.quiet:
            emit(f"reformatted {name}")
    return CLEAN


def _source(name: str) -> Source:
    if name == "-":
        return Source(sys.stdin.read(), "<stdin>")
    try:
        return read(Path(name))
    except OSError as error:
        raise Failure(f"`{name}` cannot be read: {error.strerror}") from None
