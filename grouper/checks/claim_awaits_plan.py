"""A claim about the plan, such as `expect lr(head) <= 0.1`, is checked when a plan is made.

`check` knows the groups and no steps. The claim is held to at every step of a run by whatever makes
a plan: `grouper plan`, `grouper.plan`, a trainer.

    grouper check model.pt my.rules                                       # the claim is left open
    grouper plan model.pt my.rules --epochs 100 --steps-per-epoch 500     # and here it is checked
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.checks.context import Context
from grouper.checks.expectation import of_plan
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR212", "claim-awaits-plan", Severity.NOTE, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each claim that no group alone decides."""
    for expect in context.rules.expects:
        if of_plan(expect):
            yield Finding(
                CODE,
                "this claim is about the plan, and no plan is made here",
                labels_at(expect.span),
                help="check it with the length of the run:"
                " `grouper plan MODEL RULES --epochs E --steps-per-epoch N`",
            )


def settled(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings once there is a plan, of which its claims were asked."""
    return tuple(finding for finding in findings if finding.code is not CODE)
