"""Near names, for words that nothing is called."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


def near(word: str, candidates: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The candidates most like the word, best first; none where nothing is alike."""
    scored = []
    for candidate in dict.fromkeys(candidates):
        ratio = SequenceMatcher(None, word.lower(), candidate.lower(), autojunk=False).ratio()
        if ratio >= 0.6:
            scored.append((-ratio, candidate))
    return tuple(candidate for _, candidate in sorted(scored)[:limit])


def similar(kind: str, word: str, candidates: Iterable[str]) -> str | None:
    """A sentence such as "there is an option with a similar name: `lr`", or None."""
    names = near(word, candidates)
    if not names:
        return None
    article = "an" if kind[0] in "aeiou" else "a"
    if len(names) == 1:
        return f"there is {article} {kind} with a similar name: `{names[0]}`"
    return f"there are {kind}s with similar names: {', '.join(f'`{name}`' for name in names)}"
