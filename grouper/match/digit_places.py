"""Where in a name the digit texts that selectors look for can be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from grouper.match.asked import Asked
from grouper.match.name_starts import skeleton_of

_RUN = re.compile("00+")

Place: TypeAlias = tuple[int, int, Mapping[str, int]]


class DigitTexts:
    """The texts of several questions, numbered; and a zero, on which numbers hang that begin so."""

    def __init__(self, several: Sequence[Asked]) -> None:
        self._askers: list[list[int]] = [[], []]
        self._texts: dict[str, dict[str, int]] = {}
        self._askers_of: dict[str, set[int]] = {}
        for index, asked in enumerate(several):
            if asked.numbers or asked.zeros:
                self._askers[0].append(index)
            if asked.zeros:
                self._askers[1].append(index)
            for text in asked.texts:
                skeleton = skeleton_of(text)
                texts = self._texts.setdefault(skeleton, {})
                number = texts.setdefault(text, len(self._askers))
                if number == len(self._askers):
                    self._askers.append([])
                self._askers[number].append(index)
                self._askers_of.setdefault(skeleton, set()).add(index)

    def askers(self, numbers: Iterable[int | None]) -> set[int]:
        """The questions that ask for some of these texts."""
        return {index for number in numbers if number is not None for index in self._askers[number]}

    def places(self, skeleton: str, questions: frozenset[int]) -> tuple[Place, ...]:
        """Where these texts may be in names of a skeleton, and which of them."""
        found: list[Place] = []
        for text, texts in self._texts.items():
            if self._askers_of[text].isdisjoint(questions):
                continue
            at = skeleton.find(text)
            while at >= 0:
                found.append((at, at + len(text), texts))
                at = skeleton.find(text, at + 1)
        for run in _RUN.finditer(skeleton):
            first, *others = range(*run.span())
            if self._askers[0]:
                found.append((first, first + 1, {"0": 0}))
            if self._askers[1]:
                found += ((at, at + 1, {"0": 1}) for at in others)
        return tuple(found)
