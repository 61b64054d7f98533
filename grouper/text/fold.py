"""Long lists of names, folded into patterns that read like globs."""

from __future__ import annotations

from collections.abc import Iterable

MAX_WORK = 50_000_000  # segments that joining may look at: of 200,000 names, or of deep ones
Row = tuple[tuple[str, ...], ...]  # for each segment, its choices


def fold(names: Iterable[str]) -> tuple[str, ...]:
    """Patterns that stand for exactly these names, in the order of their first names.

    Names that differ in one segment are joined: numbers into `{0..9}`, words into `{a,b}`. Of more
    than a second's work nothing is joined.
    """
    return tuple(".".join(map(_segment, row)) for row in rows(names))


def folded_list(names: Iterable[str], limit: int, quote: str = "`") -> str:
    """The first `limit` patterns of `fold`, and how many more there are."""
    patterns = fold(names)
    more = len(patterns) - limit
    listed = ", ".join(f"{quote}{pattern}{quote}" for pattern in patterns[:limit])
    return listed + (f" and {more} more pattern{'s' * (more != 1)}" if more > 0 else "")


def rows(names: Iterable[str]) -> list[Row]:
    """Products of segments that give exactly these names, in the order of their first names."""
    split = [tuple(name.split(".")) for name in dict.fromkeys(names)]
    sets: list[Row] = [tuple((segment,) for segment in row) for row in split]
    longest = max((len(row) for row in split), default=0)
    if len(split) * longest**2 > MAX_WORK:
        return sets
    for place in range(longest - 1, -1, -1):
        sets = _join(sets, place)
    for place in range(longest):
        sets = _join(sets, place)
    return sets


def _join(rows: list[Row], place: int) -> list[Row]:
    """Join the rows that differ in one place alone: all of them at once, in linear time."""
    alike: dict[object, list[Row]] = {}
    for row in rows:
        key = (row[:place], row[place + 1 :], len(row)) if place < len(row) else row
        alike.setdefault(key, []).append(row)
    return [
        _merged(several, place) if len(several) > 1 else several[0] for several in alike.values()
    ]


def _merged(rows: list[Row], place: int) -> Row:
    first = rows[0]
    if place >= len(first):
        return first
    choices = dict.fromkeys(choice for row in rows for choice in row[place])
    return (*first[:place], tuple(choices), *first[place + 1 :])


def _segment(choices: tuple[str, ...]) -> str:
    if len(choices) == 1:
        return choices[0]
    numbers = [c for c in choices if _is_number(c)]
    words = [c for c in choices if not _is_number(c)]
    parts = [*_ranges(sorted(map(int, numbers))), *words]
    if len(parts) == 1:
        return f"{{{parts[0]}}}" if ".." in parts[0] else parts[0]
    nested = [f"{{{part}}}" if ".." in part else part for part in parts]
    return f"{{{','.join(nested)}}}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and str(int(text)) == text


def _ranges(numbers: list[int]) -> list[str]:
    """Runs of three or more as `first..last`, the others alone."""
    parts: list[str] = []
    start = 0
    for i in range(1, len(numbers) + 1):
        if i == len(numbers) or numbers[i] != numbers[i - 1] + 1:
            run = numbers[start:i]
            parts += [f"{run[0]}..{run[-1]}"] if len(run) > 2 else [str(n) for n in run]
            start = i
    return parts
