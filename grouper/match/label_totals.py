"""How many tensors and values are trained under each label: `count(label)`, `numel(label)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from grouper.language.expressions import label_of
from grouper.language.resolve.labels import stem
from grouper.language.resolve.walk import calls
from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.match.assignment import Combination, Match, Matches
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Totals:
    """Tensors and values by label; `block` stands for all of `block{i}`."""

    tensors: Counter[str]
    values: Counter[str]

    def value(self, function: str, label: str) -> int:
        return (self.tensors if function == "count" else self.values)[label]


def uses_totals(rules: RuleSet) -> bool:
    """Whether a value of the rules depends on the totals of a label."""
    options = (option for rule in rules.rules for option in rule.options)
    return any(label_of(call) is not None for o in options for call in calls(o.value))


def label_totals(matches: Matches) -> Totals:
    """The totals of what is trained; labels are decided before any value is."""
    tensors: Counter[str] = Counter()
    values: Counter[str] = Counter()
    labels_of: dict[object, frozenset[str]] = {}
    for parameter, combination, numbers in zip(
        matches.inventory.parameters, matches.combinations, matches.captured, strict=True
    ):
        if parameter.trainable is False:
            continue
        key = id(combination), numbers
        if key not in labels_of:
            labels_of[key] = _labels(combination, numbers)
        for label in labels_of[key]:
            tensors[label] += 1
            values[label] += parameter.numel or 0
    return Totals(tensors, values)


def _labels(combination: Combination, numbers: tuple[str, ...]) -> frozenset[str]:
    """The labels of what is matched so; none where a rule freezes it."""
    if any(rule.freezes for rule in combination.rules):
        return frozenset()
    return frozenset(name for match in combination.matches(numbers) for name in _names(match))


def _names(match: Match) -> Iterable[str]:
    """The label of a match, and what it reads without its numbers."""
    if match.rule.label is None:
        return ()
    return (label_text(match.rule.label, match), stem(match.rule.label))


def label_text(label: tree.Label, match: Match) -> str:
    """A label with the numbers that a match captured."""
    return "".join(
        piece.text if isinstance(piece, tree.Text) else str(match.captures.get(piece.name, ""))
        for piece in label.pieces
    )
