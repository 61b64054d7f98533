"""Applies the safe edits of findings to rules files: `check --fix` and `check --diff`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import unified_diff

from grouper.checks.report import Report
from grouper.cli.write import emit_utf8, write
from grouper.text.findings import Edit
from grouper.text.printable import visible
from grouper.text.source import Source

MOST_ROUNDS = 10  # an edit may lead to another finding, which may have its own edit


def fixed(reports: Iterable[Report], names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """For each rules file that changes, its text before and after all safe edits. Included files
    are not edited, because other files may include them, too."""
    edits: dict[str, list[Edit]] = {}
    for report in reports:
        for finding in report.findings:
            if finding.edits and all(e.span.source.path in names for e in finding.edits):
                edits.setdefault(finding.edits[0].span.source.path, []).extend(finding.edits)
    texts = {}
    for name, file_edits in edits.items():
        source = file_edits[0].span.source
        text = _applied(source, file_edits)
        if text != source.text:
            texts[name] = (source.text, text)
    return texts


def write_fixed(texts: dict[str, tuple[str, str]]) -> None:
    """Rewrite the files, each atomically."""
    for name, (_, text) in texts.items():
        write(name, text)


def print_diff(texts: dict[str, tuple[str, str]]) -> None:
    """Print the changes as a patch."""
    for name, (old, new) in texts.items():
        lines = unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), name, f"{name} (fixed)"
        )
        emit_utf8("".join(visible(line.rstrip("\n")) + "\n" for line in lines))


def _applied(source: Source, edits: Iterable[Edit]) -> str:
    """The text after the edits. Where edits overlap, only one of them is applied in this round."""
    text, end = source.text, len(source.text) + 1
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: (-edit.span.start, -edit.span.end)):
        if edit.span.end <= end and not (edit.span.end == end == edit.span.start):
            text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
            end = edit.span.start
    return text
