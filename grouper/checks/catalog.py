"""Every finding that there is, in order of its code."""

from __future__ import annotations

from grouper import checks
from grouper.findings import Code
from grouper.group.compare import RANKS_DISAGREE
from grouper.language.resolve import codes as ruleset
from grouper.language.syntax import codes as syntax
from grouper.match import codes as matching
from grouper.model import codes as inventory

ALL: tuple[Code, ...] = tuple(
    sorted(
        (*syntax.ALL, *ruleset.ALL, *matching.ALL, *checks.CODES, *inventory.ALL, RANKS_DISAGREE),
        key=lambda code: code.id,
    )
)
