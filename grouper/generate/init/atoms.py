"""The parts that a selector can be made of for one model, and the parameters of each.

Sets of parameters are integers here, a bit for each parameter in the model's order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from operator import eq, le

from grouper.checks.module_kinds import Kind, ModuleKinds, last_part
from grouper.generate.init.spared import LISTED
from grouper.match.classes import ancestors, owner_path
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.text.dataclass import dataclass

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_WORD = re.compile(r"[a-zA-Z]{3,}")
_KEYWORDS = frozenset(("else", "not", "and", "or", "in", "has", "where", "freeze", "strict"))
# How little each form asks of a reader; the length of its text counts as well.
_ENDING, _PART, _CLASS, _FACT, _WITHIN, _DEEP, _CONTAINS = 1.0, 1.0, 1.05, 1.1, 1.3, 1.4, 1.6


@dataclass(frozen=True)
class Atom:
    """A part of a selector. `cost` says how hard it is to read."""

    text: str
    mask: int
    cost: float


def atoms_of(inventory: Inventory) -> tuple[Atom, ...]:
    """All atoms of a model that take something, the cheapest first; of equal ones the first."""
    found: dict[str, list[float]] = {}
    masks: dict[str, int] = {}
    for index, parameter in enumerate(inventory.parameters):
        for text, cost in _atoms(parameter):
            masks[text] = masks.get(text, 0) | 1 << index
            found.setdefault(text, [cost])
    for text, cost, mask in (*_facts(inventory), *_classes(inventory)):
        if mask:
            masks[text], found[text] = mask, [cost]
    ranked = sorted(found, key=lambda text: (found[text][0] + len(text) / 60, text))
    atoms: dict[int, Atom] = {}
    for text in ranked:
        atoms.setdefault(masks[text], Atom(text, masks[text], found[text][0] + len(text) / 60))
    return tuple(atoms.values())


def _atoms(parameter: Parameter) -> Iterator[tuple[str, float]]:
    """By the parameter's names: endings, parts of the model, parts of the name, words."""
    for name in parameter.names:
        if not _PLAIN.fullmatch(name):
            continue
        parts = name.split(".")
        for count in (1, 2, 3):
            if count < len(parts):
                yield f"*.{'.'.join(parts[-count:])}", _ENDING + 0.2 * (count - 1)
        for count in range(1, len(parts)):
            yield f"{'.'.join(parts[:count])}.*", _PART + 0.1 * (count - 1)
        for part in parts[1:-1]:
            if not part.isdigit():
                yield f"*.{part}.*", _DEEP
        for part in parts:
            for word in _WORD.findall(part):
                yield f"*{word}*", _CONTAINS


def _facts(inventory: Inventory) -> Iterator[tuple[str, float, int]]:
    parameters = inventory.parameters
    everything = (1 << len(parameters)) - 1
    if all(p.shape is not None for p in parameters):
        for ndim in sorted({p.ndim or 0 for p in parameters}):
            equal, below = (
                _mask(compare(p.ndim or 0, ndim) for p in parameters) for compare in (eq, le)
            )
            yield f"ndim == {ndim}", _FACT + 0.1, equal
            yield f"ndim <= {ndim}", _FACT, below
            yield f"ndim >= {ndim}", _FACT, equal | ~below & everything
    marks = inventory.marks
    listed = (marks.of(LISTED) if marks is not None else None) or frozenset()
    yield f"has {LISTED}", _FACT, _mask([not listed.isdisjoint(p.names) for p in parameters])
    yield "tied", _DEEP, _mask([p.tied for p in parameters])


def _mask(holds: Iterable[bool]) -> int:
    """The set of the parameters for which it holds, in the model's order."""
    return sum(1 << index for index, held in enumerate(holds) if held)


def _classes(inventory: Inventory) -> Iterator[tuple[str, float, int]]:
    """By the classes of modules; none where a class or its bases are not known."""
    modules = inventory.modules or {}
    if not modules or any(m.bases is None or m.inferred or not m.cls for m in modules.values()):
        return
    names = {path: _class_names(module) for path, module in modules.items()}
    owned: dict[str, int] = {}
    within: dict[str, int] = {}
    for index, parameter in enumerate(inventory.parameters):
        for name in parameter.names:
            owner = owner_path(name, modules)
            for cls in names.get(owner, ()):
                owned[cls] = owned.get(cls, 0) | 1 << index
            above = {cls for path in ancestors(owner) for cls in names.get(path, ())}
            for cls in above:
                within[cls] = within.get(cls, 0) | 1 << index
    norms = _norms(inventory, owned)
    yield from ((f"@{cls}", _CLASS, mask) for cls, mask in owned.items())
    yield from ((f"in @{cls}", _WITHIN, mask) for cls, mask in within.items())
    yield "@*Norm*", _CLASS, norms


def _norms(inventory: Inventory, owned: Mapping[str, int]) -> int:
    mask = 0
    for cls, members in owned.items():
        if "Norm" in cls:
            mask |= members
    return mask


def _class_names(module: Module) -> tuple[str, ...]:
    names = (last_part(cls) for cls in (module.cls, *(module.bases or ())))
    plain = (name for name in names if name.isidentifier() and name.isascii())
    return tuple(name for name in plain if name not in ("Module", "object"))


def kind_label(inventory: Inventory, members: int) -> str | None:
    """What a set of parameters is: `bias`, `norm`, `weight`; None where it is of several kinds."""
    kinds = ModuleKinds(inventory).of
    found = {kinds[id(p)] for i, p in enumerate(inventory.parameters) if members >> i & 1}
    if len(found) == 1 and found <= {Kind.BIAS, Kind.NORM, Kind.EMBEDDING}:
        return next(iter(found)).value
    return "weight" if found <= {Kind.LINEAR, Kind.CONV, Kind.EMBEDDING} else None
