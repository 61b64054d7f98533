"""What is mostly not decayed: vectors, biases, norms, and what the model itself says of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.module_kinds import Kind, ModuleKinds, last_part
from grouper.checks.state_space_decay import NAMES as RECURRENCES
from grouper.generate.init.heads import trained_of
from grouper.model.inventory import Inventory, Parameter

LISTED = "no_weight_decay"


def spared_selectors(inventory: Inventory) -> list[str]:
    """Selectors whose parameters are spared from decay, each of which takes what no other takes."""
    left = trained_of(inventory)
    selectors = []
    for selector, taken in _kinds(inventory, left):
        if not taken.isdisjoint(map(id, left)):
            selectors.append(selector)
            left = [p for p in left if id(p) not in taken]
    return selectors


def _kinds(
    inventory: Inventory, trained: Sequence[Parameter]
) -> Iterator[tuple[str, frozenset[int]]]:
    """Selectors and what they take, by `id`; the widest first."""
    kinds = ModuleKinds(inventory)
    yield "ndim <= 1", frozenset(id(p) for p in trained if p.ndim is not None and p.ndim <= 1)
    biases = [p for p in trained if any(name.endswith(".bias") for name in p.names)]
    if not any(kinds.of[id(p)] in (Kind.LINEAR, Kind.EMBEDDING) and p.tied for p in biases):
        yield "*.bias", frozenset(map(id, biases))
    norms = [p for p in trained if kinds.of[id(p)] is Kind.NORM]
    for name in sorted({kinds.class_name(p) for p in norms}):
        if not (name.isidentifier() and name.isascii()):
            continue
        yield f"@{name}", frozenset(id(p) for p in norms if kinds.class_name(p) == name)
    marks = inventory.marks
    listed = (marks.of(LISTED) if marks is not None else None) or frozenset()
    yield f"has {LISTED}", frozenset(id(p) for p in trained if not listed.isdisjoint(p.names))
    for name in RECURRENCES:
        yield f"*.{name}", frozenset(id(p) for p in trained if last_part(p.name) == name)
