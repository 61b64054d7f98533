"""The checks: each asks one question of a model and its rules."""

from __future__ import annotations

from grouper.checks import (
    allowed,
    composed,
    conflicting,
    double_in_split,
    expectation,
    frozen_model,
    frozen_options,
    matches_nothing,
    never_decides,
    plan_options,
    tied_conflict,
    unanswerable,
    unmatched,
    unmatched_in_split,
)
from grouper.checks.facts import Facts
from grouper.findings import Code, Finding

CHECKS = (
    unmatched,
    conflicting,
    double_in_split,
    composed,
    matches_nothing,
    never_decides,
    plan_options,
    tied_conflict,
    frozen_options,
    frozen_model,
    unmatched_in_split,
    unanswerable,
    expectation,
)
CODES: tuple[Code, ...] = (*(check.CODE for check in CHECKS), allowed.CODE)


def run(facts: Facts) -> tuple[Finding, ...]:
    """What the checks find; one fault, one finding."""
    return tuple(finding for check in CHECKS for finding in check.check(facts))
