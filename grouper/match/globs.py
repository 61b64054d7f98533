"""Globs, compiled: a full dotted name in, the captured numbers out.

`*` takes as little as it can, earlier ones first; a number beside a `*` is never a part of a longer
run of digits. Most globs become a regex that takes time in proportion to pieces times name, the
others a regex where that is fast, or a walk that stops at MAX_PAIRS.
"""

from __future__ import annotations

from grouper.language.syntax import tree
from grouper.match.captures import NONE, Captures, NameTest
from grouper.match.glob_regex import LONGEST_FOR_ANY, any_regex, linear_regex
from grouper.match.glob_walk import Walk


def compile_glob(glob: tree.Glob) -> NameTest:
    """A function from a name to the captures of its match, or None.

    It raises BadValue for a name on which the glob would take too long.
    """
    match glob.pieces:
        case (tree.Text(text=whole),):
            return lambda name: NONE if name == whole else None
        case (tree.Star(),):
            return lambda name: NONE
        case (tree.Star(), tree.Text(text=end)):
            return lambda name: NONE if name.endswith(end) else None
        case (tree.Text(text=start), tree.Star()):
            return lambda name: NONE if name.startswith(start) else None
        case _:
            return _compile_any(glob)


def _compile_any(glob: tree.Glob) -> NameTest:
    whole_name = _whole_name(glob)
    start, end = literal_start(glob), _literal_end(glob)

    def captures_of(name: str) -> Captures | None:
        if not (name.startswith(start) and name.endswith(end)):
            return None
        return whole_name(name)

    return captures_of


def literal_start(glob: tree.Glob) -> str:
    """What every name that the glob matches starts with."""
    first = glob.pieces[0] if glob.pieces else None
    return first.text if isinstance(first, tree.Text) else ""


def _literal_end(glob: tree.Glob) -> str:
    last = glob.pieces[-1] if glob.pieces else None
    return last.text if isinstance(last, tree.Text) else ""


def _whole_name(glob: tree.Glob) -> NameTest:
    linear = linear_regex(glob)
    if linear is not None:
        return linear
    walk, regex = Walk(glob), any_regex(glob)
    if regex is None:
        return walk
    return lambda name: regex(name) if len(name) <= LONGEST_FOR_ANY else walk(name)
