"""A rule sets options of parameters that the model itself has frozen.

A frozen parameter (`requires_grad=False`) is in no group, so the options have no effect.

    *.dfl.* -> dfl lr=0.1             # bad where the model has frozen them
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.adapters import for_copies
from grouper.checks.context import Context, all_names, rule_name
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR108", "frozen-parameter-options", Severity.WARNING, __doc__ or "")

ORIGINAL = ".original_module."  # what peft keeps beside a copy that trains


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that matches only parameters frozen by the model.

    None for rules that may match nothing, and so frozen parameters only: those that begin with
    `else` or `optional`, and those of a split, which divides whatever the model has.
    """
    if context.model_is_frozen:
        return  # that nothing is left to train is reported already
    for rule in context.rules.rules:
        if rule.freezes or rule.otherwise or rule.optional or rule.split is not None:
            continue
        members = context.members[id(rule)]
        if members and all(parameter.trainable is False for parameter in members):
            names = all_names(members)
            yield Finding(
                CODE,
                f"{rule_name(rule)} matches only parameters that the model has frozen",
                labels_at(rule.span),
                names,
                help=_help(names),
                candidates=for_copies(rule),
            )


def _help(names: tuple[str, ...]) -> str:
    if any(ORIGINAL in name for name in names):
        return "peft keeps the original frozen; what trains is its copy: `modules_to_save`"
    return "set `requires_grad=True` on them, or remove the rule"
