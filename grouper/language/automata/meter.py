"""A limit on how much work a question may take."""

from __future__ import annotations

from grouper.text.dataclass import dataclass


class Unknown(Exception):
    """A question that these automata do not answer, or not within their limits."""


@dataclass
class Meter:
    """Counts transitions. Raises Unknown after more than `most` of them."""

    most: float = float("inf")
    spent: int = 0

    def spend(self, transitions: int) -> None:
        self.spent += transitions
        if self.spent > self.most:
            raise Unknown("too much work")
