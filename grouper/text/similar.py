"""Near names, for words that nothing is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

MAX_WORD = 100  # characters; nobody means a word that is longer by mistake
MAX_CANDIDATES = 2_000  # of about the word's length: a tenth of a second
_ALIKE = 0.6


def near(word: str, candidates: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The candidates most like the word, best first; none where nothing is alike."""
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


def _as_long(word: str, candidates: Iterable[str]) -> Iterator[str]:
    """Those whose length alone does not make them unlike the word."""
    return (
        candidate
        for candidate in candidates
        if 2 * min(len(word), len(candidate)) >= _ALIKE * (len(word) + len(candidate))
    )


def similar(kind: str, word: str, candidates: Iterable[str]) -> str | None:
    """A sentence such as "there is an option with a similar name: `lr`", or None."""
    names = near(word, candidates)
    if not names:
        return None
    article = "an" if kind[0] in "aeiou" else "a"
    if len(names) == 1:
        return f"there is {article} {kind} with a similar name: `{names[0]}`"
    return f"there are {kind}s with similar names: {', '.join(f'`{name}`' for name in names)}"
