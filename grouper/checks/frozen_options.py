"""A rule sets options of parameters that the model has frozen.

A parameter with `requires_grad=False` is not in any group, so the options have no effect.

    *.dfl.* -> dfl lr=0.1             # bad if the model has frozen them
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.adapters import for_copies
from grouper.checks.context import Context, all_names, rule_name
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR108", "frozen-parameter-options", Severity.WARNING, __doc__ or "")

ORIGINAL = ".original_module."  # the originals of modules whose copies peft trains


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule that matches only parameters frozen by the model.

    Rules that may match nothing are skipped: those with `else` or `optional`, and those of a split.
    """
    if context.model_is_frozen:
        return  # already reported: nothing is left to train
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
        return "peft keeps the original frozen and trains its copy: `modules_to_save`"
    return "set `requires_grad=True` on them, or remove the rule"
