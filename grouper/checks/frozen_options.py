"""A rule sets options of parameters that the model itself has frozen.

A frozen parameter (`requires_grad=False`) is in no group, so the options have no effect.

    *.dfl.* -> dfl lr=0.1             # bad where the model has frozen them
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.model.inventory import Parameter

CODE = Code("GR108", "frozen-parameter-options", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that matches nothing but parameters frozen by the model."""
    if context.model_is_frozen:
        return  # that nothing is left to train is reported already
    trained: set[int] = set()
    frozen: dict[int, list[Parameter]] = {}
    for alike in context.assignment.treated_alike:
        for match in alike[0].matches:
            if alike[0].parameter.trainable is False:
                members = frozen.setdefault(id(match.rule), [])
                members.extend(assigned.parameter for assigned in alike)
            else:
                trained.add(id(match.rule))
    for rule in context.rules.rules:
        if id(rule) in frozen and id(rule) not in trained and not rule.freezes:
            yield Finding(
                CODE,
                f"{rule_name(rule)} matches only parameters that the model has frozen",
                labels_at(rule.span),
                context.names(frozen[id(rule)]),
                help="set `requires_grad=True` on them, or remove the rule",
            )
