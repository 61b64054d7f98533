"""The texts with digits on which a glob depends: whether each is at its place in a name.

Together with the characters that are not digits, they decide whether the glob matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.language.syntax import tree
from grouper.match.glob_regex import Pieces, beside_star, capture_names, is_whole_run

MOST_TEXTS = 300  # of one glob
_DIGITS = frozenset("0123456789")


class ByDigits(Exception):
    """Raised for a glob that depends on digits in another way."""


def digit_texts(glob: tree.Glob) -> frozenset[str]:
    """The texts of a glob, ranges and alternatives written out. Raises ByDigits."""
    sequences = _without_patterns(glob.pieces)
    outer = {id(piece) for piece in glob.pieces}
    for pieces in sequences:
        captures = capture_names(pieces)
        numbers = [i for i, piece in enumerate(pieces) if isinstance(piece, tree.Integer)]
        if len(set(captures)) < len(captures):
            raise ByDigits
        if not all(is_whole_run(pieces, index) for index in numbers):
            raise ByDigits
        # A star beside an alternative, unlike one inside it, does not keep its numbers whole.
        if any(any(beside_star(pieces, i)) and id(pieces[i]) not in outer for i in numbers):
            raise ByDigits
    found = {text for pieces in sequences for text in _texts(pieces)}
    return frozenset(text for text in found if has_digits(text))


def _without_patterns(pieces: Pieces) -> list[Pieces]:
    """The pieces with each choice among alternatives that are more than texts."""
    sequences: list[Pieces] = [()]
    for piece in pieces:
        choices: list[Pieces] = [(piece,)]
        if isinstance(piece, tree.Alternatives) and not all(map(_is_text, piece.options)):
            choices = [c for option in piece.options for c in _without_patterns(option.pieces)]
        if len(sequences) * len(choices) > MOST_TEXTS:
            raise ByDigits
        sequences = [(*before, *choice) for before in sequences for choice in choices]
    return sequences


def _texts(pieces: Pieces) -> set[str]:
    found: set[str] = set()
    run = [""]
    for piece in pieces:
        options = _written_out(piece)
        if options is None:
            found.update(run)
            run = [""]
        else:
            run = _longer(run, options)
    return found | {*run}


def has_digits(text: str) -> bool:
    return not _DIGITS.isdisjoint(text)


def _longer(run: list[str], options: list[str]) -> list[str]:
    if len(run) * len(options) > MOST_TEXTS:
        raise ByDigits
    return [before + option for before in run for option in options]


def _written_out(piece: tree.Piece) -> list[str] | None:
    """The texts that a piece stands for; None where digits matter in no other way than others."""
    match piece:
        case tree.Text(text=text):
            return [text]
        case tree.Integer(first=int() as first, last=int() as last):
            if last - first >= MOST_TEXTS:
                raise ByDigits
            return [*map(str, range(first, last + 1))]
        case tree.Alternatives(options=options):
            return [_text(option) for option in options]
        case tree.CharacterClass():
            return _class(piece)
        case tree.Star() | tree.QuestionMark() | tree.Integer():
            return None


def _is_text(option: tree.Glob) -> bool:
    return all(isinstance(piece, tree.Text) for piece in option.pieces)


def _text(option: tree.Glob) -> str:
    return "".join(piece.text for piece in option.pieces if isinstance(piece, tree.Text))


def _class(piece: tree.CharacterClass) -> list[str] | None:
    inside = set(_digits_in(piece.ranges))
    if inside in (set(), _DIGITS):
        return None
    only_digits = all(a in _DIGITS and b in _DIGITS for a, b in piece.ranges)
    if piece.negated or not only_digits:
        raise ByDigits
    return sorted(inside)


def _digits_in(ranges: Iterable[tuple[str, str]]) -> Iterator[str]:
    for first, last in ranges:
        yield from (digit for digit in _DIGITS if first <= digit <= last)
