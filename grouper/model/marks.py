"""What a model says of its own parameters, by the word that `has` asks for."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.text.dataclass import dataclass, field

LISTED = "no_weight_decay"  # methods and lists that begin so are always recorded


@dataclass(frozen=True)
class Marks:
    """The parameters that carry an attribute, or that a list of a module above them names.

    `parameters` holds the names of the parameters for each word that was looked for. Of a word
    that is not there nothing is known, unless it begins with one of `prefixes`: none has it.
    """

    parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()

    def of(self, word: str) -> frozenset[str] | None:
        """The parameters that have the word, by every name; None where that is not known."""
        if word in self.parameters:
            return self.parameters[word]
        return frozenset() if word.startswith(self.prefixes or ("\0",)) else None
