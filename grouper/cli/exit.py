"""How a command ends."""

from __future__ import annotations

from grouper.checks.report import Report
from grouper.model.errors import ModelError
from grouper.text.printable import visible

CLEAN, FOUND, FAILED = 0, 1, 2
STATUSES = "exit status: 0 clean, 1 errors found, 2 could not run"


class Failure(Exception):
    """The command cannot run: exit status 2, and one line that says why."""


def status(report: Report) -> int:
    return CLEAN if report.ok else FOUND


def failure_line(failure: Failure | ModelError) -> str:
    """The line on standard error that says why a command could not run."""
    code, help = "", ""
    if isinstance(failure, ModelError):
        code = f"[{failure.finding.code.id}]"
        help = f"; {failure.finding.help}" if failure.finding.help else ""
    return f"error{code}: {visible(f'{failure}{help}')}"
