"""How many tensors and values are trained under each label: `count(label)`, `numel(label)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from grouper.language.expressions import label_of
from grouper.language.resolve.labels import stem
from grouper.language.resolve.walk import calls
from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.match.assignment import Match, Matches


@dataclass(frozen=True)
class Totals:
    """Tensors and values by label; `block` stands for all of `block{i}`."""

    tensors: Counter[str]
    values: Counter[str]

    def value(self, function: str, label: str) -> int:
        return (self.tensors if function == "count" else self.values)[label]


def uses_totals(rules: RuleSet) -> bool:
    """Whether a value of the rules hangs on the totals of a label."""
    options = (option for rule in rules.rules for option in rule.options)
    return any(label_of(call) is not None for o in options for call in calls(o.value))


def label_totals(matches: Matches) -> Totals:
    """The totals of what is trained; labels are decided before any value is."""
    tensors: Counter[str] = Counter()
    values: Counter[str] = Counter()
    parameters = zip(matches.inventory.parameters, matches.of_parameters, strict=True)
    for parameter, found in parameters:
        if parameter.trainable is False or any(match.rule.freezes for match in found):
            continue
        for label in {name for match in found for name in _names(match)}:
            tensors[label] += 1
            values[label] += parameter.numel or 0
    return Totals(tensors, values)


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
