"""A group trains at a learning rate of 0.

Gradients and moments are still computed, some optimizers still apply weight decay, and batch norms
still update their statistics. `freeze` excludes the parameters from training.

    backbone.* -> backbone lr*=0                # bad
    backbone.* -> freeze                        # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.rule_edits import frozen
from grouper.checks.trained import Trained, place_of
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR320", "zero-lr", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule or optimizer statement that sets an lr of 0."""
    by_option: dict[object, list[Trained]] = {}
    zero = {id(group) for group in context.grouping.groups if group.options.get("lr") == 0}
    for one in context.trained if zero else ():
        if id(one.group) in zero:
            setting = one.setting("lr")
            by_option.setdefault(id(setting.option) if setting else one.group.optimizer, []).append(
                one
            )
    for members in by_option.values():
        setting = members[0].setting("lr")
        declared = context.optimizers.get(members[0].group.optimizer or "")
        labels = place_of(setting.rule, "lr") if setting else ()
        if not labels and declared is not None:
            labels = labels_at(declared.span)
        yield Finding(
            CODE,
            f"the lr of {count_phrase(members)} is 0: this costs as much as training, and batch"
            " norms still update their statistics",
            labels,
            tuple(one.name for one in members),
            help="freeze them: `SELECTOR -> freeze`",
            candidates=(frozen(setting.rule),) if setting is not None else (),
        )
