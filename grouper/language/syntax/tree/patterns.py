"""The pieces of a glob."""

from __future__ import annotations

from typing import TypeAlias

from grouper.language.syntax.tree.node import Node
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Text(Node):
    """Characters that stand for themselves."""

    text: str


@dataclass(frozen=True)
class Star(Node):
    """`*`: any run of characters, dots included."""


@dataclass(frozen=True)
class QuestionMark(Node):
    """`?`: one character but a dot."""


@dataclass(frozen=True)
class CharacterClass(Node):
    """`[a-c]`, `[!0]`: one character of a class; `ranges` are inclusive pairs of characters."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True)
class Alternatives(Node):
    """`{conv1,conv2}`: any of them."""

    options: tuple[Glob, ...]


@dataclass(frozen=True)
class Integer(Node):
    """`{0..9}`, `{i}`, `{i:0..9}`: an integer without leading zeros, perhaps captured."""

    capture: str | None = None
    first: int | None = None
    last: int | None = None


Piece: TypeAlias = Text | Star | QuestionMark | CharacterClass | Alternatives | Integer


@dataclass(frozen=True)
class Glob(Node):
    """A shell-style pattern over a whole dotted name."""

    pieces: tuple[Piece, ...]
