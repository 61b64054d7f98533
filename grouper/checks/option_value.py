"""An option has a value that torch refuses, or with which its step would fail.

torch looks at the values in an optimizer's constructor, and never at those of a parameter group:
there a negative rate trains the model away from its goal without a word. Both are held to what the
constructor asks.

    optimizer SGD lr=0.01 nesterov=true          # bad: Nesterov's way needs a momentum
    optimizer SGD lr=0.01 nesterov=true momentum=0.9
    *.bias -> bias lr=-0.1                       # bad: negative
    *.bias -> bias lr=0.1                        # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, GroupOption, all_names
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.group.group import Group
from grouper.language.ruleset import Optimizer
from grouper.options.signatures import Signature
from grouper.options.torch_values import Fault, faults

CODE = Code("GR202", "option-value", Severity.ERROR, __doc__ or "")

Found = dict[tuple[object, ...], list[tuple[Group, Fault, list[GroupOption]]]]


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each faulty value of a statement, and for each of the rules' options."""
    for name, declared in facts.optimizers.items():
        signature = facts.signatures.get(name)
        if signature is not None and signature.known:
            yield from _in_statement(declared, signature)
    found: Found = {}
    for group in facts.grouping.groups:
        signature = facts.signatures.get(group.optimizer or "")
        if signature is not None and signature.known:
            _in_group(facts, group, signature, found)
    for every in found.values():
        yield _finding(facts, every)


def _in_statement(declared: Optimizer, signature: Signature) -> Iterator[Finding]:
    given = {k: v for k, v in declared.options.items() if k in signature.constructor}
    for fault in faults(signature.known or "", {**signature.defaults, **given}):
        spans = [declared.spans[key] for key in fault.keys if key in declared.spans]
        labels = tuple(label for span in spans or (declared.span,) for label in labels_at(span))
        yield Finding(CODE, fault.what, labels, help=fault.help)


def _in_group(facts: Context, group: Group, signature: Signature, found: Found) -> None:
    """Faults of a group's values in which rules have a part; the others are the statement's."""
    given = {k: v for k, v in group.options.items() if k in signature.options}
    for fault in faults(signature.known or "", {**signature.defaults, **given}):
        asked = [a for a in facts.asked[group.name] if a.setting.option.key in fault.keys]
        if asked:
            key = (fault.keys, *(id(a.setting.option) for a in asked))
            found.setdefault(key, []).append((group, fault, asked))


def _finding(facts: Context, every: list[tuple[Group, Fault, list[GroupOption]]]) -> Finding:
    group, fault, asked = every[0]
    settings = [a.setting for a in asked]
    labels = tuple(label for s in reversed(settings) for label in labels_at(s.option.span))
    declared = facts.optimizers[group.optimizer or ""]
    for key in fault.keys:
        if key in declared.spans and not any(s.option.key == key for s in settings):
            labels += labels_at(declared.spans[key], "with this")
    groups = list(dict.fromkeys(group.name for group, _, _ in every))
    more = f" and {len(groups) - 1} more group{'s' * (len(groups) > 2)}" if groups[1:] else ""
    ids = {id(p): p for _, _, asked in every for a in asked for p in a.parameters}
    return Finding(
        CODE,
        f"`{group.name}`{more}: {fault.what}",
        labels,
        all_names(list(ids.values())),
        notes=("torch asks this of its constructor alone, and takes anything in a group",),
        help=fault.help,
    )
