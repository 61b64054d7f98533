"""No rule sets a tag that the file declares.

`tag` declares a key in groups for other readers; if no rule sets it, no group has it.

    tag param_group
    * -> all lr=0.1                             # bad
    * -> all lr=0.1 param_group=weight          # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at
from grouper.text.source import Span

CODE = Code("GR118", "unused-tag", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each tag that is never set."""
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
                candidates=_removed(rules.tag_spans.get(tag)),
            )


def _removed(span: Span | None) -> tuple[Fix, ...]:
    """The statement without the tag and its comma, or without the statement for its only tag."""
    if span is None:
        return ()
    text, start, end = span.source.text, span.start, span.end
    comma_after = re.match(r"[ \t]*,[ \t]*", text[end:])
    comma_before = re.search(r"([ \t]*,[ \t]*|tag[ \t]+)$", text[:start])
    if comma_after is not None:
        end += comma_after.end()
    elif comma_before is not None:
        start = comma_before.start()
    return ((Edit(Span(span.source, start, end), ""),),)
