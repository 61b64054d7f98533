"""What a pickle describes, as inert values: names, calls, dicts, lists.

Everything compares by identity, and nothing of a file is hashed but the text of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Listed
from typing import Any

from grouper.text.dataclass import dataclass


class PickleError(Exception):
    """The stream is no pickle, or asks for what is refused.

    `over_limit` is True where it may be a pickle, and reading it would take too much.
    """

    def __init__(self, why: str, over_limit: bool = False) -> None:
        super().__init__(why)
        self.over_limit = over_limit


@dataclass(frozen=True, eq=False, slots=True)
class Global:
    """A name that a pickle refers to; it is never looked up. `dotted` is the whole of it."""

    module: str
    name: str
    dotted: str


@dataclass(eq=False, slots=True)
class Call:
    """A global called with arguments, and what was put into the result afterwards.

    `texts` is kept by `mappings`, as it is for a dict, `facts` by `tensors`.
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
    """A list or a set. `texts` is kept by `mappings`, where a dict was made of it."""

    items: Listed[Any] = ()
    texts: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Reference:
    """A persistent id: in torch's files a storage, or a legacy module."""

    value: Any


@dataclass(frozen=True, eq=False, slots=True)
class Opaque:
    """Bytes, a text or a number too long to keep.

    `head` are the first few hundred bytes, of a text in UTF-8.
    """

    length: int
    head: bytes = b""
