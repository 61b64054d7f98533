"""Asks the checks, and leaves out what the file accepts."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.checks import plan_claims, unreached_lr
from grouper.checks.allowed import CODE as UNUSED_ALLOW
from grouper.checks.allowed import without_allowed
from grouper.checks.catalog import ALL
from grouper.checks.context import Context
from grouper.checks.table import CHECKS
from grouper.findings import Finding


def run(context: Context, before: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """All findings: those of the stages before the checks, and the checks' own."""
    checks = [check for check in CHECKS if check.without_model or not context.without_model]
    findings = [*before, *(f for check in checks for f in check.module.check(context))]
    remaining = without_allowed(context, findings, ALL)
    if context.without_model:  # only with a model does one see what an `allow` accepts
        return tuple(finding for finding in remaining if finding.code != UNUSED_ALLOW)
    return remaining


def run_on_groups(context: Context) -> tuple[Finding, ...]:
    """What is wrong with the groups, and not accepted by the file."""
    checks = [check for check in CHECKS if check.of_groups]
    findings = [finding for check in checks for finding in check.module.check(context)]
    remaining = without_allowed(context, findings, [finding.code for finding in findings])
    return tuple(finding for finding in remaining if finding.code != UNUSED_ALLOW)


def run_on_plan(
    context: Context, course: plan_claims.Course, unreached: Iterable[unreached_lr.Unreached]
) -> tuple[Finding, ...]:
    """What is wrong with a run of some length, and not accepted by the file."""
    found = (*unreached_lr.findings(context, unreached), *plan_claims.findings(context, course))
    remaining = without_allowed(context, found, ALL)
    return tuple(finding for finding in remaining if finding.code != UNUSED_ALLOW)
