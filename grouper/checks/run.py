"""Runs the checks, and removes findings that the file accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from grouper.checks.context import Context
from grouper.checks.table import CHECKS, Check
from grouper.text.findings import Code, Finding

if TYPE_CHECKING:
    from grouper.checks.plan_claims import Course
    from grouper.checks.unreached_lr import Unreached


def run(context: Context, before: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """All findings: those of earlier stages, and those of the checks."""
    alone = context.without_model
    checks = [check for check in CHECKS if (check.without_model if alone else check.with_model)]
    findings = [*before, *_found(checks, context)]
    # Unused `allow` statements can only be determined with a model.
    return _remaining(context, findings, unused=not alone)


def run_on_groups(context: Context) -> tuple[Finding, ...]:
    """The findings about groups that the file does not accept."""
    checks = [check for check in CHECKS if check.of_groups]
    findings = list(_found(checks, context))
    return _remaining(context, findings, [finding.code for finding in findings])


def run_on_plan(
    context: Context, course: Course, unreached: Iterable[Unreached]
) -> tuple[Finding, ...]:
    """The findings about a run with a known length that the file does not accept."""
    from grouper.checks import plan_claims, unreached_lr

    results = (*unreached_lr.findings(context, unreached), *plan_claims.findings(context, course))
    return _remaining(context, results)


def _found(checks: Iterable[Check], context: Context) -> Iterator[Finding]:
    for check in checks:
        if check.about(context):
            yield from check.module.check(context)


def _remaining(
    context: Context,
    findings: Iterable[Finding],
    known: Iterable[Code] | None = None,
    unused: bool = False,
) -> tuple[Finding, ...]:
    """The findings that the file does not accept, with those about unused `allow` statements if
    `unused`. `known` are the valid codes, all codes by default."""
    if not context.rules.allows:
        return tuple(findings)
    from grouper.checks import allowed, catalog

    remaining = allowed.without_allowed(context, findings, catalog.ALL if known is None else known)
    return tuple(finding for finding in remaining if unused or finding.code != allowed.CODE)
