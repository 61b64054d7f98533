"""From groups to splits: one with a rule for each group, or one for each option in which they
differ.
"""

from __future__ import annotations

from collections.abc import Sequence

from grouper.generate.init.atoms import Atom
from grouper.generate.init.describe import Description, describe
from grouper.generate.init.labels import Class, Labels, distinct
from grouper.generate.init.series import Series, find_series, formula, looked_up, table
from grouper.generate.init.settings import GroupToWrite, written
from grouper.language.syntax.unparse import options_text
from grouper.model.inventory import Inventory
from grouper.options.values import value_key
from grouper.text.dataclass import dataclass, field

_RULE_COST = 0.7
_FINE = 4  # classes of a split that takes other options along, whose classes these are already
_LETTERS = "ijklmnopqrstuvwxyz"


@dataclass
class SplitText:
    """A split's rules as lines of text, the tables that they look into, and what it costs."""

    name: str
    lines: list[str] = field(default_factory=list)
    lets: list[str] = field(default_factory=list)
    cost: float = 0.0


@dataclass
class Writer:
    """Writes splits for one model. Labels and captures are unique in the file."""

    inventory: Inventory
    atoms: Sequence[Atom]
    labels: Labels
    tables: dict[str, str] = field(default_factory=dict)

    def forget(self) -> None:
        """Begin anew."""
        self.labels.taken.clear()
        self.tables.clear()

    def splits(self, groups: Sequence[GroupToWrite], masks: Sequence[int]) -> list[SplitText]:
        """The splits that are easiest to read."""
        by_group = [
            Class(group.own, mask, group.given) for group, mask in zip(groups, masks, strict=True)
        ]
        keys = list(dict.fromkeys(key for group in groups for key in group.own))
        partitions = _partitions(keys, by_group)
        parted = [(part, _classes(part, by_group)) for part in partitions]
        rules = sum(len(classes) for _, classes in parted)
        found: list[list[SplitText]] = []
        equal = distinct([group.own for group in groups]) < len(groups)
        if equal or len(groups) <= 2 * max(rules, _FINE):
            self.forget()
            found.append([self.split("kind", by_group, ordered=True)])
        if not equal and len(groups) > 2:
            self.forget()
            names = _split_names(partitions)
            found.append([self.split(n, cs) for n, (_, cs) in zip(names, parted, strict=True)])
        return min(found, key=lambda splits: sum(split.cost for split in splits))

    def split(self, name: str, classes: Sequence[Class], *, ordered: bool = False) -> SplitText:
        """A split with a rule for each class or series of classes. Where it is `ordered`, groups
        come in the order of the classes."""
        series: list[Series] = []
        if len(classes) > _FINE and not ordered:
            letters = iter(_LETTERS)
            series = find_series([c.mask for c in classes], self.inventory, letters)
        text = SplitText(name)
        labels = self.labels.of(classes, series)
        said = 0
        for number, one in enumerate(series):
            label = labels.of_series[number]
            said |= self._series(text, one, classes, said, label)
        left = [(n, c.mask & ~said) for n, c in enumerate(classes) if c.mask & ~said]
        if left and not ordered:
            costs = {n: round(self._describe(n, m, left, said).cost, 1) for n, m in left}
            left.sort(key=lambda item: (costs[item[0]], item[1].bit_count()))
        for place, (number, mask) in enumerate(left):
            options = options_text(written(classes[number].options))
            arrow = f"-> {labels.of_class[number]} {options}".rstrip()
            if place == len(left) - 1:
                text.lines.append(f"else {arrow}" if place or series else f"* {arrow}")
                text.cost += _RULE_COST
                continue
            description = self._describe(number, mask, left[place + 1 :], said)
            otherwise = "else " if description.mask & said else ""
            text.lines.append(f"{otherwise}{description.text} {arrow}")
            text.cost += description.cost + _RULE_COST
            said |= description.mask
        return text

    def _describe(
        self, number: int, mask: int, left: Sequence[tuple[int, int]], said: int
    ) -> Description:
        others = 0
        for other, members in left:
            if other != number:
                others |= members
        return describe(mask, others, self.atoms, self.inventory)

    def _series(
        self, text: SplitText, series: Series, classes: Sequence[Class], said: int, label: str
    ) -> int:
        """The rule of a series; returns what it takes."""
        values = [classes[series.classes[numbers]].options for numbers in series.order]
        options = []
        for key in values[0]:
            column = [value.get(key) for value in values]
            of_all = [c.options.get(key) for c in classes]
            highest = max((v for v in of_all if isinstance(v, int | float)), default=None)
            expression = formula(series, column, highest)
            if expression is None:
                name = self._table(text, f"{key}_of_{series.word.strip('_')}", table(column))
                expression = looked_up(series, name)
            options.append(f"{key}={expression}")
        otherwise = "else " if series.mask & said else ""
        text.lines.append(f"{otherwise}{series.glob} -> {label} {' '.join(options)}")
        text.cost += 1.5 + _RULE_COST
        return series.mask

    def _table(self, text: SplitText, name: str, items: str) -> str:
        """The name of a table with these items: one that is there, or a new one."""
        names = [name, *(f"{name}_{number}" for number in range(2, 2 + len(self.tables)))]
        free = next(n for n in names if self.tables.get(n, items) == items)
        if free not in self.tables:
            self.tables[free] = items
            text.lets.append(f"let {free} = {items}")
        return free


def _partitions(keys: Sequence[str], groups: Sequence[Class]) -> list[tuple[str, ...]]:
    """Keys that part the groups alike together; and with a key of few classes, those that these
    classes decide as well."""
    ids = {key: _ids(key, groups) for key in keys}
    alike: dict[tuple[int, ...], list[str]] = {}
    for key in keys:
        alike.setdefault(ids[key], []).append(key)
    finest = sorted(alike, key=lambda of: (-len(set(of)), of))
    kept: dict[tuple[int, ...], list[str]] = {}
    for of in finest:
        finer = next((k for k in kept if len(set(k)) <= _FINE and _decides(k, of)), None)
        kept.setdefault(finer if finer is not None else of, []).extend(alike[of])
    return [tuple(sorted(found, key=keys.index)) for found in kept.values()]


def _ids(key: str, groups: Sequence[Class]) -> tuple[int, ...]:
    known: dict[object, int] = {}
    return tuple(
        known.setdefault((key in group.options, value_key(group.options.get(key))), len(known))
        for group in groups
    )


def _decides(finer: tuple[int, ...], coarser: tuple[int, ...]) -> bool:
    return len(set(zip(finer, coarser, strict=True))) == len(set(finer))


def _classes(keys: Sequence[str], groups: Sequence[Class]) -> list[Class]:
    """The classes by the values of some keys, in the groups' order."""
    found: dict[object, Class] = {}
    for group in groups:
        options = {key: group.options[key] for key in keys if key in group.options}
        key = tuple((name, value_key(value)) for name, value in options.items())
        before = found.get(key)
        mask = group.mask | (before.mask if before is not None else 0)
        words = (value for name, value in options.items() if name != "optimizer")
        given = next((value for value in words if isinstance(value, str)), None)
        found[key] = Class(options, mask, given)
    return list(found.values())


def _split_names(partitions: Sequence[tuple[str, ...]]) -> list[str]:
    """`kind` for what weight decay parts, `part` for the first of the others."""
    names: list[str] = []
    for keys in partitions:
        wanted = "kind" if "weight_decay" in keys else "part"
        names.append(f"by_{keys[0]}" if wanted in names else wanted)
    return names
