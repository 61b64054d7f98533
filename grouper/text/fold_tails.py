"""Joins patterns with a common prefix: `a.b.c` and `a.d` become `a.{b.c,d}`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

LONGEST = 60  # characters inside a pair of braces; longer ones are not easier to read
DEEPEST = 3  # nested braces, the limit of a rules file

Segment = tuple[str, ...]  # the alternatives between two dots, as written in braces
Path = tuple[Segment, ...]


def joined_tails(paths: Sequence[Path]) -> list[Path]:
    """The same names in fewer paths, in the order of their first names."""
    beginnings: dict[Segment, list[Path]] = {}
    for path in paths:
        beginnings.setdefault(path[0], []).append(path[1:])
    joined: list[Path] = []
    for head, tails in beginnings.items():
        if len(tails) == 1:
            joined.append((head, *tails[0]))
            continue
        longer = [tail for tail in tails if tail]
        joined += [(head,)] * (len(longer) < len(tails))
        joined += [(head, *tail) for tail in _alternatives(joined_tails(longer))]
    return joined


def written(path: Path) -> str:
    """The text of a pattern."""
    return ".".join(_braced(segment) for segment in path)


def _alternatives(tails: list[Path]) -> list[Path]:
    """The tails joined into one, or by their endings, as long as the braces stay short. Tails that
    begin with numbers, the items of a list, are not joined: they mostly differ from each other."""
    if len(tails) < 2 or any(_is_numbered(tail[0]) for tail in tails):
        return tails
    whole = _together(tails)
    if whole is not None:
        return [whole]
    endings: dict[Segment, list[Path]] = {}
    for tail in tails:
        endings.setdefault(tail[-1], []).append(tail)
    parts = []
    for several in endings.values():
        one = _together(several) if 1 < len(several) < len(tails) else None
        parts += several if one is None else [one]
    return parts


def _together(tails: list[Path]) -> Path | None:
    """One path for all tails, with their common ending after the braces. None if the braces would
    be too long or too deep."""
    shortest = min(map(len, tails))
    ends = zip(*(reversed(tail) for tail in tails), strict=False)
    alike = sum(1 for _ in takewhile(lambda segments: len(set(segments)) == 1, ends))
    cut = min(alike, shortest - 1)
    parts: list[str] = []
    for tail in tails:
        middle = tail[: len(tail) - cut]
        parts += middle[0] if len(middle) == 1 else [written(middle)]
        if sum(map(len, parts)) + len(parts) > LONGEST:
            return None
    if max(map(_depth, parts)) >= DEEPEST:
        return None
    return (tuple(dict.fromkeys(parts)), *tails[0][len(tails[0]) - cut :])


def _is_numbered(segment: Segment) -> bool:
    return any(part[0] == "{" or part.isdecimal() for part in segment)


def _braced(segment: Segment) -> str:
    return segment[0] if len(segment) == 1 else f"{{{','.join(segment)}}}"


def _depth(text: str) -> int:
    """The depth of nested braces."""
    depth = deepest = 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        deepest = max(deepest, depth)
    return deepest
