"""`grouper fmt RULES...`: rewrites rules files in canonical form."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from grouper.cli.exit import CLEAN, FOUND
from grouper.cli.flags import output, output_flags
from grouper.cli.rules_file import RulesFile, read_rules
from grouper.cli.write import emit, emit_utf8, write
from grouper.language.syntax.format import format_file
from grouper.language.syntax.parser import parse
from grouper.text.findings import Finding
from grouper.text.printable import visible
from grouper.text.source import Source

EXAMPLES = (
    "grouper fmt my.rules",
    "grouper fmt --check rules/*.rules",
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="RULES", help="files, or - for standard input")
    parser.add_argument(
        "--check", action="store_true", help="only check; exit status 1 if a file would change"
    )
    output_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    return max([_format(read_rules(name), arguments) for name in arguments.files])


def _format(file: RulesFile, arguments: argparse.Namespace) -> int:
    source = Source(file.text, "<stdin>" if file.name == "-" else file.name)
    parsed = parse(source)
    if parsed.findings:
        _print_findings(parsed.findings, arguments)
        return FOUND
    text = format_file(parsed.file, source)
    changes = text != file.text
    if arguments.check:
        if changes and not arguments.quiet:
            emit(f"would reformat {visible(file.name)}")
        return FOUND if changes else CLEAN
    if file.is_stream:
        emit_utf8(file.encode(text))
    elif changes:
        write(file.name, file.encode(text))
        if not arguments.quiet:
            emit(f"reformatted {visible(file.name)}")
    return CLEAN


def _print_findings(findings: Iterable[Finding], arguments: argparse.Namespace) -> None:
    from grouper.reports.finding_text import findings_text

    emit(findings_text(findings, output(arguments, sys.stderr)), sys.stderr)
