"""A rule sets options of parameters that the model itself has frozen.

A frozen parameter (`requires_grad=False`) is in no group, so the options have no effect.

    *.dfl.* -> dfl lr=0.1             # bad where the model has frozen them
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.findings import Code, Finding, Severity, labels_at

CODE = Code("GR108", "frozen-parameter-options", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that matches only parameters frozen by the model.

    None for rules that may match nothing, and so frozen parameters only: those that begin with
    `else` or `optional`, and those of a split, which divides whatever the model has.
    """
    if context.model_is_frozen:
        return  # that nothing is left to train is reported already
    frozen = {id(p): p for p in context.inventory.parameters if p.trainable is False}
    for rule in context.rules.rules:
        if rule.freezes or rule.otherwise or rule.optional or rule.split is not None:
            continue
        matched = context.matched[id(rule)]
        if matched and matched <= frozen.keys():
            yield Finding(
                CODE,
                f"{rule_name(rule)} matches only parameters that the model has frozen",
                labels_at(rule.span),
                context.names(frozen[key] for key in matched),
                help="set `requires_grad=True` on them, or remove the rule",
            )
