"""Limits on the length of names, far above those of real models, so that walking them is safe."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.model.errors import over_limit

MAX_NAME = 1_000  # characters
MAX_SEGMENTS = 200
MAX_CHARACTERS = 16 << 20  # of all names of a model; characters of names beyond ASCII count as four


class Names:
    """Counts the names of a model. Raises ModelError if one, or all together, are too long."""

    def __init__(self, most: int = MAX_CHARACTERS) -> None:
        self._left = most

    def counted(self, name: str) -> str:
        self._left -= len(name) if name.isascii() else 4 * len(name)
        if self._left < 0:
            raise over_limit("its names have too many characters")
        if len(name) > MAX_NAME or name.count(".") >= MAX_SEGMENTS:
            raise over_limit("it has names longer than those of any model")
        return name

    def count(self, names: Iterable[str]) -> None:
        names = list(names)
        lengths = list(map(len, names))
        if max(lengths, default=0) < MAX_SEGMENTS and "".join(names).isascii():
            self._left -= sum(lengths)
            if self._left < 0:
                raise over_limit("its names have too many characters")
            return
        for name in names:
            self.counted(name)
