"""A claim about the plan, such as `expect lr(head) <= 0.1`, is checked when a plan is made.

`check` knows the groups but not the steps. The claim is checked at every step of a run when a plan
is made: by `grouper plan`, `grouper.plan` or a trainer.

    grouper check model.pt my.rules                                       # does not check the claim
    grouper plan model.pt my.rules --epochs 100 --steps-per-epoch 500     # checks it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.checks.context import Context
from grouper.checks.expectation import of_plan
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR212", "claim-awaits-plan", Severity.NOTE, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each claim about the plan."""
    for expect in context.rules.expects:
        if of_plan(expect):
            yield Finding(
                CODE,
                "this claim is about the plan, so it is not checked here",
                labels_at(expect.span),
                help="check it with `grouper plan MODEL RULES --epochs E --steps-per-epoch N`",
            )


def settled(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without these notes, for when the claims have been checked on a plan."""
    return tuple(finding for finding in findings if finding.code is not CODE)
