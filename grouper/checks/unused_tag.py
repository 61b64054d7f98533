"""No rule sets a tag that the file declares.

`tag` says that groups carry a key for other readers; where no rule gives it a value, no group has
it.

    tag param_group
    * -> all lr=0.1                             # bad
    * -> all lr=0.1 param_group=weight          # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.findings import Code, Finding, Severity, labels_at

CODE = Code("GR118", "unused-tag", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each tag that nothing sets."""
    rules = context.rules
    used = {option.key for rule in rules.rules for option in rule.options}
    used |= {key for optimizer in rules.optimizers for key in optimizer.options}
    for tag in rules.tags:
        if tag not in used:
            yield Finding(
                CODE,
                f"no rule sets the tag `{tag}`",
                labels_at(rules.tag_spans.get(tag)),
                help=f"remove it from `tag`, or set it in a rule: `{tag}=...`",
            )
