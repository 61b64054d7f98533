"""Labels for groups that another program has formed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from grouper.generate.init.atoms import kind_label
from grouper.generate.init.series import Series
from grouper.language.syntax.keywords import CONTEXTUAL, KEYWORDS
from grouper.model.inventory import Inventory
from grouper.options.values import Value, value_key
from grouper.text.dataclass import dataclass, field

_LABEL = re.compile(r"[A-Za-z][\w.-]*(?<![.-])")


@dataclass(frozen=True)
class Class:
    """Parameters that get the same values of some options. `given` is a name for them."""

    options: Mapping[str, Value]
    mask: int
    given: str | None = None


def distinct(options: Sequence[Mapping[str, Value]]) -> int:
    """How many of the options differ."""
    return len({frozenset((k, value_key(v)) for k, v in each.items()) for each in options})


@dataclass(frozen=True)
class SplitLabels:
    """The labels of a split's classes and series; empty where a rule is to have none."""

    of_class: tuple[str, ...]
    of_series: tuple[str, ...] = ()


@dataclass
class Labels:
    """Labels for one file. None is given twice."""

    inventory: Inventory
    taken: set[str] = field(default_factory=set)

    def of(self, classes: Sequence[Class], series: Sequence[Series]) -> SplitLabels:
        """Labels for the classes of one split."""
        if not series:
            return SplitLabels(
                tuple(self._label(number, classes) for number in range(len(classes)))
            )
        numbered = _numbered(series)
        if numbered is None or any(self._is_taken(name) for name in numbered):
            return SplitLabels(("",) * len(classes), ("",) * len(series))
        by_class: dict[int, str] = {}
        for one, word in zip(series, numbered, strict=True):
            for numbers, number in one.classes.items():
                by_class[number] = f"{word}{'.'.join(map(str, numbers))}"
        self.taken |= set(by_class.values())
        of_class = [
            by_class[number] if number in by_class else self._label(number, classes)
            for number in range(len(classes))
        ]
        captured = (".".join(f"{{{name}}}" for name in one.captures) for one in series)
        return SplitLabels(
            tuple(of_class),
            tuple(f"{word}{part}" for word, part in zip(numbered, captured, strict=True)),
        )

    def single(self, given: str | None) -> str:
        """The label of a file's only group."""
        return given if given and _usable(given) else "all"

    def _is_taken(self, word: str) -> bool:
        return any(label.startswith(word) for label in self.taken)

    def _label(self, number: int, classes: Sequence[Class]) -> str:
        one = classes[number]
        for wanted in (one.given, self._by_decay(number, classes), self._by_members(one.mask)):
            if wanted and _usable(wanted) and wanted not in self.taken:
                self.taken.add(wanted)
                return wanted
        name = next(f"group{n}" for n in range(number, 10**6) if f"group{n}" not in self.taken)
        self.taken.add(name)
        return name

    def _by_decay(self, number: int, classes: Sequence[Class]) -> str | None:
        """`decay` and `no_decay`, of two classes of which one is spared."""
        decays = [one.options.get("weight_decay") for one in classes]
        if len(classes) != 2 or sum(decay == 0 for decay in decays) != 1 or None in decays:
            return None
        return "no_decay" if decays[number] == 0 else "decay"

    def _by_members(self, mask: int) -> str | None:
        """`bias` or `norm`, where all are; or the module that holds all."""
        kind = kind_label(self.inventory, mask)
        if kind is not None:
            return kind
        names = [p.name for i, p in enumerate(self.inventory.parameters) if mask >> i & 1]
        first, last = min(names).split("."), max(names).split(".")
        shared = [a for a, b in zip(first[:-1], last[:-1], strict=False) if a == b]
        words = [part for part in shared if _LABEL.fullmatch(part)]
        return words[-1] if words else None


def _numbered(series: Sequence[Series]) -> list[str] | None:
    """A word for each series, which its numbers follow; None where a class has two names."""
    words = [one.word for one in series]
    if len(set(words)) != len(words):
        words = [f"{one.word}{'_' * place}" for place, one in enumerate(series)]
    classes = [number for one in series for number in one.classes.values()]
    usable = all(_LABEL.fullmatch(word) and word not in KEYWORDS for word in words)
    if not usable or len(set(classes)) != len(classes):
        return None
    return words


def _usable(word: str) -> bool:
    return bool(_LABEL.fullmatch(word)) and word not in KEYWORDS | CONTEXTUAL
