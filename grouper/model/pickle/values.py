"""The content of a pickle as inert values: names, calls, dicts, lists.

Values compare by identity; of a file's content, only strings that are names are hashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Listed
from typing import Any

from grouper.text.dataclass import dataclass


class PickleError(Exception):
    """The stream is not a pickle, or uses an unsupported feature.

    `over_limit` is True if it may be a pickle but reading it would exceed a limit.
    """

    def __init__(self, why: str, over_limit: bool = False) -> None:
        super().__init__(why)
        self.over_limit = over_limit


@dataclass(frozen=True, eq=False, slots=True)
class Global:
    """A global that a pickle refers to; never looked up. `dotted` is its full name."""

    module: str
    name: str
    dotted: str


@dataclass(eq=False, slots=True)
class Call:
    """A global called with arguments, and what was added to the result afterwards.

    `texts` is a cache of `mappings`, like for a dict, and `facts` one of `tensors`.
    """

    function: Any
    arguments: Any
    state: Any = None
    items: Listed[Any] = ()
    pairs: Listed[tuple[Any, Any]] = ()
    texts: Mapping[str, Any] | None = None
    facts: Any = None


@dataclass(eq=False, slots=True)
class Dict:
    pairs: Listed[tuple[Any, Any]] = ()
    texts: Mapping[str, Any] | None = None

    def get(self, key: str) -> Any:
        """The value of a string key, the last one set."""
        for name, value in reversed(self.pairs):
            if isinstance(name, str) and name == key:
                return value
        return None


@dataclass(eq=False, slots=True)
class Sequence:
    """A list or a set. `texts` is a cache of `mappings`, for dicts built from a list."""

    items: Listed[Any] = ()
    texts: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Reference:
    """A persistent id: in torch's files a storage, or a legacy module."""

    value: Any


@dataclass(frozen=True, eq=False, slots=True)
class Opaque:
    """Bytes, a string or a number that is too long to keep.

    `head` is its first few hundred bytes; strings are encoded as UTF-8.
    """

    length: int
    head: bytes = b""
