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
    missing_lr,
    never_decides,
    option_value,
    plan_options,
    refused_parameters,
    tied_conflict,
    unanswerable,
    unknown_optimizer,
    unknown_option,
    unmatched,
    unmatched_in_split,
    unused_optimizer,
)
from grouper.checks.context import Context
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
    refused_parameters,
)
# What a model adds to, and rules alone can be asked.
OF_RULES = (
    unknown_optimizer,
    unknown_option,
    option_value,
    missing_lr,
    unused_optimizer,
)
# What is asked of groups, and so again of those that are thawed.
OF_GROUPS = (unknown_option, option_value, missing_lr, plan_options, refused_parameters)
CODES: tuple[Code, ...] = (*(check.CODE for check in (*CHECKS, *OF_RULES)), allowed.CODE)


def run(facts: Context) -> tuple[Finding, ...]:
    """What the checks find; one fault, one finding."""
    asked = OF_RULES if facts.alone else (*CHECKS, *OF_RULES)
    return tuple(finding for check in asked for finding in check.check(facts))


def of_groups(facts: Context) -> tuple[Finding, ...]:
    """What is wrong with the groups, as far as the file does not accept it."""
    found = tuple(finding for check in OF_GROUPS for finding in check.check(facts))
    left = allowed.apply(facts, found, [finding.code for finding in found])
    return tuple(finding for finding in left if finding.code is not allowed.CODE)
