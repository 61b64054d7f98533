"""How a command ends."""

from __future__ import annotations

from grouper.checks.report import Report

CLEAN, FOUND, FAILED = 0, 1, 2


class Failure(Exception):
    """The command cannot run: exit status 2, and one line that says why."""


def status(report: Report) -> int:
    return CLEAN if report.ok else FOUND
