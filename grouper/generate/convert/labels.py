"""Labels of rules, from the patterns and names of a configuration."""

from __future__ import annotations

import re

from grouper.language.syntax import tree
from grouper.language.syntax.keywords import KEYWORDS

_LONGEST = 40


class Labels:
    """Gives each case of a file a label of its own, as near to its pattern as a word can be."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, written: str) -> tree.Label:
        """`backbone.norm` for `*backbone.norm*`; a second one is called `backbone.norm_2`."""
        made = re.sub(r"[^\w.-]+", "_", re.sub(r"\\.|[\^$*?()+|]", _plain, written))
        made = re.sub(r"[._-]*_[._-]*", "_", made).strip("_.-")[:_LONGEST].strip("_.-") or "group"
        if not re.match(r"[^\W\d]", made):
            made = f"p{made}"
        if made in KEYWORDS:
            made = f"{made}_group"
        label, number = made, 1
        while label in self._taken:
            number += 1
            label = f"{made}_{number}"
        self._taken.add(label)
        return word(label)


def _plain(found: re.Match[str]) -> str:
    """An escaped character as itself where it can be in a word; else a gap."""
    return found[0][1] if found[0] in (r"\.", r"\-") else "_"


def numbered(*pieces: str) -> tree.Label:
    """`block{i}` of `block` and `i`: words and captures in turn."""
    return tree.Label(
        tuple(tree.Word(p) if at % 2 else tree.Text(p) for at, p in enumerate(pieces))
    )


def word(text: str) -> tree.Label:
    return tree.Label((tree.Text(text),))
