"""Finds names that are similar to an unknown word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

MAX_WORD = 100  # characters; a longer word is hardly a misspelt name
MAX_CANDIDATES = 2_000  # of similar length; comparing them takes a tenth of a second
_ALIKE = 0.6


def near(word: str, candidates: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The candidates most similar to the word, best first; none if nothing is similar."""
    if len(word) > MAX_WORD:
        return ()
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq1(word.lower())
    scored = []
    for candidate in islice(_as_long(word, dict.fromkeys(candidates)), MAX_CANDIDATES):
        matcher.set_seq2(candidate.lower())
        if matcher.quick_ratio() >= _ALIKE and (ratio := matcher.ratio()) >= _ALIKE:
            scored.append((-ratio, candidate))
    return tuple(candidate for _, candidate in sorted(scored)[:limit])


def highest_ratio(one: str, other: str) -> float:
    """A bound for the ratio of `SequenceMatcher`, by the lengths and the letters of only one."""
    bound = _ratio(min(len(one), len(other)), one, other)
    if bound < _ALIKE:
        return bound
    mine, theirs = set(one), set(other)
    common = min(len(one) - len(mine - theirs), len(other) - len(theirs - mine))
    return _ratio(common, one, other)


def _ratio(common: int, one: str, other: str) -> float:
    """The ratio of words that have this many letters in common, in the same order."""
    both = len(one) + len(other)
    return 2 * common / both if both else 1.0


def _as_long(word: str, candidates: Iterable[str]) -> Iterator[str]:
    """The candidates that are not ruled out by their length."""
    return (c for c in candidates if _ratio(min(len(word), len(c)), word, c) >= _ALIKE)


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A question such as "did you mean `lr`?", or None."""
    names = [f"`{name}`" for name in near(word, candidates)]
    return f"did you mean {' or '.join(names)}?" if names else None
