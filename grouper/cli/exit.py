"""Exit statuses, and the failures of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grouper.checks.report import Report

CLEAN, FOUND, FAILED = 0, 1, 2
STATUSES = "exit status: 0 clean, 1 errors found, 2 could not run"


class Failure(Exception):
    """The command cannot run: exit status 2, and one line with the reason."""


def status(report: Report) -> int:
    return CLEAN if report.ok else FOUND


def failure_line(error: Exception) -> str:
    """The line on standard error for a Failure or a ModelError. Raises any other error again."""
    from grouper.model.errors import ModelError
    from grouper.text.printable import visible

    if not isinstance(error, Failure | ModelError):
        raise error
    code, help = "", ""
    if isinstance(error, ModelError):
        code = f"[{error.finding.code.id}]"
        help = f"; {error.finding.help}" if error.finding.help else ""
    return f"error{code}: {visible(f'{error}{help}')}"
