"""The parameters that a selector may match, found by the texts in it, so that others need not be
tested."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property

from grouper.language.syntax import tree
from grouper.match.name_starts import name_starts
from grouper.model.inventory import Inventory, Parameter
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Reachable:
    """The parameters of an inventory by the texts in their names."""

    inventory: Inventory

    def by(self, selector: tree.Selector) -> Sequence[Parameter]:
        """The parameters that a selector may match, in the model's order."""
        if isinstance(selector, tree.Glob) and not all(
            piece.text in self._all_names
            for piece in selector.pieces
            if isinstance(piece, tree.Text)
        ):
            return ()
        starts = name_starts(selector)
        if not starts:
            return self.inventory.parameters
        names = self._names_in_order
        found = set[int]()
        for start in starts:
            first = bisect_left(names, (start,))
            last = bisect_right(names, start, first, key=lambda entry: entry[0][: len(start)])
            found.update(index for _, index in names[first:last])
        return [self.inventory.parameters[index] for index in sorted(found)]

    @cached_property
    def _all_names(self) -> str:
        return "\n".join(name for p in self.inventory.parameters for name in p.names)

    @cached_property
    def _names_in_order(self) -> list[tuple[str, int]]:
        """The names of all parameters in alphabetical order, with the parameters' places."""
        parameters = enumerate(self.inventory.parameters)
        return sorted((name, index) for index, p in parameters for name in p.names)
