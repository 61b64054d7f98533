"""An optimizer takes no such parameters: Muon nothing but matrices, LBFGS no more than one group.

torch says so when the optimizer is built, of the first parameter that it meets, by its size alone.

    optimizer Muon lr=0.02
    * -> all                                     # bad: Muon orthogonalises matrices

    optimizer AdamW lr=1e-3
    optimizer Muon as hidden lr=0.02
    ndim == 2 -> matrix optimizer=hidden         # good
    else      -> rest
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, all_names
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.group.group import Group
from grouper.text.printable import count_phrase

CODE = Code("GR206", "refused-parameters", Severity.ERROR, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each optimizer that would refuse what the rules send to it."""
    for name, signature in facts.signatures.items():
        groups = [group for group in facts.grouping.groups if group.optimizer == name]
        if signature.known == "Muon":
            yield from _no_matrices(facts, name, groups)
        elif signature.known == "LBFGS" and len(groups) > 1:
            named = ", ".join(f"`{group.name}`" for group in groups)
            yield Finding(
                CODE,
                f"`LBFGS` takes one group, and gets {len(groups)}: {named}",
                labels_at(facts.optimizers[name].span),
                help="give all of its parameters the same labels and options",
            )


def _no_matrices(facts: Context, name: str, groups: list[Group]) -> Iterator[Finding]:
    found = {
        group.name: [p for p in group.parameters if p.ndim not in (2, None)] for group in groups
    }
    refused = [parameter for parameters in found.values() for parameter in parameters]
    if not refused:
        return
    named = ", ".join(f"`{group}`" for group, parameters in found.items() if parameters)
    settings = {
        id(asked.setting.option): asked.setting.option.span
        for group in groups
        if found[group.name]
        for asked in facts.asked[group.name]
        if asked.setting.option.key == "optimizer"
    }
    labels = tuple(label for span in settings.values() for label in labels_at(span))
    yield Finding(
        CODE,
        f"`Muon` takes nothing but matrices, and gets {count_phrase(refused)} of other"
        f" shapes in {named}",
        labels + labels_at(facts.optimizers[name].span, "" if not labels else "the optimizer"),
        all_names(refused),
        help="send it `ndim == 2` alone, and the rest to another optimizer, such as AdamW",
    )
