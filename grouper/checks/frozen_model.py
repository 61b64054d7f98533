"""Nothing is left to train: the model itself has frozen all of its parameters, or the rules do.

A model that was put aside with `requires_grad_(False)` is given to rules that expect to decide
themselves; or a rule that freezes counts one layer too far and takes the head as well.

    model.requires_grad_(False)       # bad, before grouper.check(model, rules)
    model.requires_grad_(True)        # good: rules freeze what they should

    model.{0..22}.* -> freeze         # bad where 22 is the last layer
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
    """One finding in place of one for each rule. A model without parameters has none."""
    parameters = context.inventory.parameters
    if context.model_is_frozen:
        yield Finding(
            CODE,
            f"the model has frozen all of its {count_phrase(parameters)}: nothing is left to train",
            help="call `model.requires_grad_(True)`, and freeze by rules what should stay so",
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
        help=f"freeze fewer: the last module, `{head}`{_class_of(context, head)}, is the head, and"
        f" is to stay: `{head}.* -> head`",
        candidates=(*_one_less(rule), *_but_the_head(rule, head)),
    )


def _head(context: Context, name: str) -> str:
    """The path of the last module that is not inside a numbered list, or is the list's last."""
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
    found = re.search(r"\.\.(\d+)\}", span.text)
    if found is None or found.group(1) == "0":
        return ()
    less = int(found.group(1)) - 1
    text = f"{span.text[: found.start(1)]}{less}{span.text[found.end(1) :]}"
    return ((Edit(span, text),),)


def _but_the_head(rule: Rule, head: str) -> tuple[Fix, ...]:
    """The rule without the head, which another one may be for, or gets one of its own."""
    without = except_selecting(rule, f"{head}.*")
    if not without or rule.span is None:
        return ()
    end = Span(rule.span.source, rule.span.end, rule.span.end)
    return (without, (*without, Edit(end, f"\n{head}.* -> head")))
