"""What a test of a name gives: the numbers that it captures, or None where it does not match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

Captures: TypeAlias = Mapping[str, int]
NameTest: TypeAlias = Callable[[str], Captures | None]

NONE: Captures = {}
DIGITS = "(?:0|[1-9][0-9]{0,17})"  # of numbers that fit into 64 bits
