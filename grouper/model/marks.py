"""The marks that a model puts on its parameters, by the word that `has` uses."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.text.dataclass import dataclass, field

LISTED = "no_weight_decay"  # methods and lists with this prefix are always recorded


@dataclass(frozen=True)
class Marks:
    """The parameters that have an attribute, or that a list of a module above them names.

    `parameters` maps each word that was looked up to the names of its parameters. A word that is
    missing is unknown, unless it begins with one of `prefixes`: then no parameter has it.
    """

    parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()

    def of(self, word: str) -> frozenset[str] | None:
        """All names of the parameters that have the word; None if unknown."""
        if word in self.parameters:
            return self.parameters[word]
        return frozenset() if word.startswith(self.prefixes or ("\0",)) else None
