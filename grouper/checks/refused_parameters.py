"""An optimizer rejects its parameters: Muon takes only matrices, LBFGS only one group.

torch reports this only when the optimizer is built, with the shape of the first such parameter.

    optimizer Muon lr=0.02
    * -> all                                     # bad: Muon orthogonalises matrices

    optimizer AdamW lr=1e-3
    optimizer Muon as hidden lr=0.02
    ndim == 2 -> matrix optimizer=hidden         # good
    else      -> rest
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.rule_edits import only_selecting, with_selector
from grouper.checks.trained import most_common_rule
from grouper.group.group import Group
from grouper.model.inventory import Parameter
from grouper.text.findings import Code, Finding, Fix, Severity, labels_at
from grouper.text.printable import count_phrase, quoted_list

CODE = Code("GR206", "refused-parameters", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each optimizer that would reject the parameters that rules send to it."""
    for name, signature in context.signatures.items():
        groups = [
            group
            for group in context.grouping.groups
            if group.optimizer == name and not context.in_conflict(group, "optimizer")
        ]
        if signature.known == "Muon":
            yield from _no_matrices(context, name, groups)
        elif signature.known == "LBFGS" and len(groups) > 1:
            names = quoted_list(group.name for group in groups)
            yield Finding(
                CODE,
                f"`LBFGS` takes only one group, but gets {len(groups)}: {names}",
                labels_at(context.optimizers[name].span),
                help="give all of its parameters the same labels and options",
            )


def _no_matrices(context: Context, name: str, groups: list[Group]) -> Iterator[Finding]:
    others = {
        group.name: [p for p in group.parameters if p.ndim not in (2, None)] for group in groups
    }
    refused = [parameter for parameters in others.values() for parameter in parameters]
    if not refused:
        return
    names = quoted_list(name for name, parameters in others.items() if parameters)
    settings = {
        id(option.setting.option): option.setting.option.span
        for group in groups
        if others[group.name]
        for option in context.group_options[group.name]
        if option.setting.option.key == "optimizer"
    }
    labels = tuple(label for span in settings.values() for label in labels_at(span))
    yield Finding(
        CODE,
        f"`Muon` takes only matrices, but gets {count_phrase(refused)} of other shapes in {names}",
        labels + labels_at(context.optimizers[name].span, "" if not labels else "the optimizer"),
        context.names(refused),
        help="send only `ndim == 2` to it, and the rest to another optimizer, such as AdamW",
        candidates=_only_matrices(context, refused),
    )


def _only_matrices(context: Context, refused: list[Parameter]) -> tuple[Fix, ...]:
    """The rule that sends them, limited to matrices."""
    rule = most_common_rule((context.trained_by_id[id(p)] for p in refused), "optimizer")
    span = rule.selector.span if rule is not None and rule.selector is not None else None
    if rule is None or span is None:
        return ()
    match = re.search(r"ndim\s*>=?\s*[12]", span.text)
    if match is not None:
        text = f"{span.text[: match.start()]}ndim == 2{span.text[match.end() :]}"
        return (with_selector(rule, text),)
    return (only_selecting(rule, "ndim == 2"),)
