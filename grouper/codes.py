"""Every finding that there is, in order of its code."""

from __future__ import annotations

from grouper import checks
from grouper.disagreement import RANKS_DISAGREE
from grouper.findings import Code
from grouper.inventory import codes as inventory
from grouper.matching import codes as matching
from grouper.ruleset import codes as ruleset
from grouper.syntax import codes as syntax

ALL: tuple[Code, ...] = tuple(
    sorted(
        (*syntax.ALL, *ruleset.ALL, *matching.ALL, *checks.CODES, *inventory.ALL, RANKS_DISAGREE),
        key=lambda code: code.id,
    )
)
