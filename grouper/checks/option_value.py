"""An option has a value that torch rejects, or that would make its step fail.

torch checks the values passed to an optimizer's constructor, but not those in a parameter group: a
negative lr there silently increases the loss. grouper checks both.

    optimizer SGD lr=0.01 nesterov=true          # bad: Nesterov momentum needs a momentum
    optimizer SGD lr=0.01 nesterov=true momentum=0.9
    *.bias -> bias lr=-0.1                       # bad: negative
    *.bias -> bias lr=0.1                        # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, GroupOption
from grouper.group.group import Group
from grouper.language.ruleset import Optimizer
from grouper.options.signatures import Signature
from grouper.options.torch_values import Fault, faults
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR202", "option-value", Severity.ERROR, __doc__ or "")

Faults = dict[tuple[object, ...], list[tuple[Group, Fault, list[GroupOption]]]]


def check(context: Context) -> Iterator[Finding]:
    """One finding for each invalid value in a statement or in a rule."""
    for name, declared in context.optimizers.items():
        signature = context.signatures.get(name)
        if signature is not None and signature.known:
            yield from _in_statement(declared, signature)
    by_options: Faults = {}
    for group in context.grouping.groups:
        signature = context.signatures.get(group.optimizer or "")
        if signature is not None and signature.known:
            _in_group(context, group, signature, by_options)
    for several in by_options.values():
        yield _finding(context, several)


def _in_statement(declared: Optimizer, signature: Signature) -> Iterator[Finding]:
    values = {k: v for k, v in declared.options.items() if k in signature.constructor}
    for fault in faults(signature.known or "", {**signature.defaults, **values}):
        spans = [declared.spans[key] for key in fault.keys if key in declared.spans]
        labels = tuple(label for span in spans or (declared.span,) for label in labels_at(span))
        yield Finding(CODE, fault.what, labels, help=fault.help)


def _in_group(context: Context, group: Group, signature: Signature, by_options: Faults) -> None:
    """Add the problems with a group's values that rules set. Values that only the statement sets
    are reported there."""
    values = {k: v for k, v in group.options.items() if k in signature.options}
    for fault in faults(signature.known or "", {**signature.defaults, **values}):
        if context.in_conflict(group, "optimizer", *fault.keys):
            continue
        options = [
            a for a in context.group_options[group.name] if a.setting.option.key in fault.keys
        ]
        if options:
            key = (fault.keys, *(id(a.setting.option) for a in options))
            by_options.setdefault(key, []).append((group, fault, options))


def _finding(context: Context, several: list[tuple[Group, Fault, list[GroupOption]]]) -> Finding:
    group, fault, options = several[0]
    settings = [option.setting for option in options]
    labels = tuple(label for s in reversed(settings) for label in labels_at(s.option.span))
    declared = context.optimizers[group.optimizer or ""]
    for key in fault.keys:
        if key in declared.spans and not any(s.option.key == key for s in settings):
            labels += labels_at(declared.spans[key], "together with this")
    groups = list(dict.fromkeys(group.name for group, _, _ in several))
    more = f" and {len(groups) - 1} more group{'s' * (len(groups) > 2)}" if groups[1:] else ""
    ids = {id(p): p for _, _, options in several for o in options for p in o.parameters}
    return Finding(
        CODE,
        f"`{group.name}`{more}: {fault.what}",
        labels,
        context.names(ids.values()),
        notes=("torch checks this only in the constructor, not in parameter groups",),
        help=fault.help,
    )
