"""The shortest selector that takes some parameters and leaves others alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from grouper.generate.init.atoms import Atom
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass
from grouper.text.fold import fold
from grouper.text.printable import quoted

MOST_TRIED = 80  # atoms that are combined with each other
MOST_JOINED = 6  # atoms of one `or`; more are no selector but a list
_WORD_COST = 0.3  # of an `and`, an `or`, a `not`
_LISTED = 1.5  # a pattern of a list says nothing of what its parameters are
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Description:
    """A selector's text, the parameters that it takes, and how hard it is to read."""

    text: str
    mask: int
    cost: float


def describe(wanted: int, others: int, atoms: Sequence[Atom], inventory: Inventory) -> Description:
    """A selector that takes all of `wanted` and none of `others`; the rest may be either.

    It always exists: the list of all names, folded.
    """
    useful = [atom for atom in atoms if atom.mask & wanted]
    covering = [atom for atom in useful if not wanted & ~atom.mask]
    found = [
        *_single(covering, others),
        *_joined(wanted, others, useful),
        *_both(others, covering),
        *_except(wanted, others, covering, atoms),
    ]
    if not found or min(d.cost for d in found) > 3:
        found += [*_several_pairs(wanted, others, useful), listed(wanted, inventory)]
    return min(found, key=lambda description: (description.cost, description.text))


def _single(covering: Sequence[Atom], others: int) -> list[Description]:
    exact = [atom for atom in covering if not atom.mask & others]
    return [Description(atom.text, atom.mask, atom.cost) for atom in exact[:1]]


def _joined(wanted: int, others: int, useful: Sequence[Atom]) -> list[Description]:
    """An `or` of atoms, each of which takes none of the others."""
    exact = [atom for atom in useful if not atom.mask & others]
    chosen = _cover(wanted, exact)
    return [_any_of(chosen)] if chosen and len(chosen) <= MOST_JOINED else []


def _both(others: int, covering: Sequence[Atom]) -> list[Description]:
    """An `and` of two atoms."""
    best: list[Description] = []
    tried = covering[:MOST_TRIED]
    for index, first in enumerate(tried):
        rest = first.mask & others
        for second in tried[index + 1 :]:
            cost = first.cost + second.cost + _WORD_COST
            if best and cost >= best[0].cost:
                break
            if not rest & second.mask:
                text = f"{first.text} and {second.text}"
                best = [Description(text, first.mask & second.mask, cost)]
    return best


def _except(
    wanted: int, others: int, covering: Sequence[Atom], atoms: Sequence[Atom]
) -> list[Description]:
    """An atom without some others."""
    found = []
    outside = [atom for atom in atoms if not atom.mask & wanted]
    for atom in covering[:MOST_TRIED]:
        chosen = _cover(atom.mask & others, outside)
        if chosen and len(chosen) <= MOST_JOINED // 2:
            excluded = _any_of(chosen)
            text = f"({excluded.text})" if len(chosen) > 1 else excluded.text
            cost = atom.cost + excluded.cost + 2 * _WORD_COST
            mask = atom.mask & ~excluded.mask
            found.append(Description(f"{atom.text} and not {text}", mask, cost))
    return found


def _several_pairs(wanted: int, others: int, useful: Sequence[Atom]) -> list[Description]:
    """An `or` of atoms and of pairs of atoms."""
    tried = sorted(useful, key=lambda a: -(a.mask & wanted).bit_count())[:MOST_TRIED]
    exact = [atom for atom in useful if not atom.mask & others]
    pairs = [
        Atom(f"{a.text} and {b.text}", a.mask & b.mask, a.cost + b.cost + _WORD_COST)
        for index, a in enumerate(tried)
        if a.mask & others
        for b in tried[index + 1 :]
        if b.mask & others and a.mask & b.mask & wanted and not a.mask & b.mask & others
    ]
    chosen = _cover(wanted, [*exact, *pairs])
    return [_any_of(chosen)] if chosen and len(chosen) <= MOST_JOINED else []


def _cover(wanted: int, atoms: Sequence[Atom]) -> list[Atom]:
    """Atoms that take all of `wanted`, the most for their cost first; none where there are none."""
    left = wanted
    chosen: list[Atom] = []
    while left and len(chosen) <= MOST_JOINED:
        best = max(atoms, key=lambda a: (a.mask & left).bit_count() / a.cost, default=None)
        if best is None or not best.mask & left:
            return []
        chosen.append(best)
        left &= ~best.mask
    if left:
        return []
    return [a for a in chosen if wanted & a.mask & ~_union(b for b in chosen if b is not a)]


def _any_of(chosen: Sequence[Atom]) -> Description:
    cost = sum(atom.cost for atom in chosen) + _WORD_COST * (len(chosen) - 1)
    return Description(" or ".join(atom.text for atom in chosen), _union(chosen), cost)


def _union(atoms: Iterable[Atom]) -> int:
    mask = 0
    for atom in atoms:
        mask |= atom.mask
    return mask


def listed(wanted: int, inventory: Inventory) -> Description:
    """The names themselves, folded."""
    names = [p.name for i, p in enumerate(inventory.parameters) if wanted >> i & 1]
    plain = [name for name in names if _PLAIN.fullmatch(name)]
    texts = [*fold(plain), *(quoted(name) for name in names if not _PLAIN.fullmatch(name))]
    cost = _LISTED * len(texts) + sum(map(len, texts)) / 40
    return Description(" or ".join(texts), wanted, cost)
