"""Nothing is left to train: the model or the rules freeze all parameters.

Either the model was frozen with `requires_grad_(False)` before the rules were applied, or a
freezing rule counts one layer too far and freezes the head as well.

    model.requires_grad_(False)       # bad, before grouper.check(model, rules)
    model.requires_grad_(True)        # good: rules freeze what they should

    model.{0..22}.* -> freeze         # bad if 22 is the last layer
    model.{0..21}.* -> freeze         # good
    else            -> head
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.module_kinds import last_part
from grouper.checks.rule_edits import except_selecting
from grouper.language.ruleset import Rule
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at
from grouper.text.printable import count_phrase
from grouper.text.source import Span

CODE = Code("GR113", "nothing-to-train", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for the whole model, none for a model without parameters."""
    parameters = context.inventory.parameters
    if context.model_is_frozen:
        yield Finding(
            CODE,
            f"the model has frozen all of its {count_phrase(parameters)}: nothing is left to train",
            help="call `model.requires_grad_(True)`, and freeze parameters with rules",
        )
        return
    if parameters and len(context.grouping.frozen) == len(parameters):
        freezing = [rule for rule in context.rules.rules if rule.freezes]
        yield _by_rules(context, max(freezing, key=lambda rule: len(context.matched[id(rule)])))


def _by_rules(context: Context, rule: Rule) -> Finding:
    parameters = context.inventory.parameters
    last = parameters[-1].name
    head = _head(context, last)
    return Finding(
        CODE,
        f"all {count_phrase(parameters)} are frozen, most of them by {rule_name(rule)}: nothing is"
        " left to train",
        labels_at(rule.span),
        help=f"do not freeze the last module, `{head}`{_class_of(context, head)}, which is probably"
        f" the head: `{head}.* -> head`",
        candidates=(*_one_less(rule), *_but_the_head(rule, head)),
    )


def _head(context: Context, name: str) -> str:
    """The path of the module that has this last parameter: up to its first number, if any."""
    parts = name.split(".")
    for end in range(1, len(parts)):
        if parts[end].isdigit():
            return ".".join(parts[: end + 1])
    return parts[0] if len(parts) > 1 else name


def _class_of(context: Context, path: str) -> str:
    module = (context.inventory.modules or {}).get(path)
    return f" (a `{last_part(module.cls)}`)" if module is not None and module.cls else ""


def _one_less(rule: Rule) -> tuple[Fix, ...]:
    span = rule.selector.span if rule.selector is not None else None
    if span is None:
        return ()
    match = re.search(r"\.\.(\d+)\}", span.text)
    if match is None or match.group(1) == "0":
        return ()
    less = int(match.group(1)) - 1
    text = f"{span.text[: match.start(1)]}{less}{span.text[match.end(1) :]}"
    return ((Edit(span, text),),)


def _but_the_head(rule: Rule, head: str) -> tuple[Fix, ...]:
    """The rule without the head, and the same with a new rule for the head."""
    without = except_selecting(rule, f"{head}.*")
    if not without or rule.span is None:
        return ()
    end = Span(rule.span.source, rule.span.end, rule.span.end)
    return (without, (*without, Edit(end, f"\n{head}.* -> head")))
