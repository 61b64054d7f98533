"""A rule asks something of parameters that the model itself has frozen.

A frozen parameter (`requires_grad=False`) is in no group, so the options have no effect.

    *.dfl.* -> dfl lr=0.1             # bad where the model has frozen them
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, all_names, rule_name
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.model.inventory import Parameter

CODE = Code("GR108", "frozen-parameter-options", Severity.WARNING, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each rule that matches nothing but parameters frozen by the model."""
    if facts.frozen_model:
        return  # that nothing is left to train is reported already
    for rule in facts.rules.rules:
        frozen: list[Parameter] = []
        trained = False
        for assigned in facts.assignment.parameters:
            if any(match.rule is rule for match in assigned.matches):
                trained = trained or assigned.parameter.trainable is not False
                frozen.append(assigned.parameter)
        if frozen and not trained and not rule.freezes:
            yield Finding(
                CODE,
                f"{rule_name(rule)} matches only parameters that the model has frozen",
                labels_at(rule.span),
                all_names(frozen),
                help="set `requires_grad=True` on them, or remove the rule",
            )
