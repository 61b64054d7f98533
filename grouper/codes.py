"""Every finding that there is, in order of its code."""

from __future__ import annotations

from grouper import checks
from grouper.findings import Code
from grouper.inventory import codes as inventory
from grouper.matching import codes as matching
from grouper.ruleset import codes as ruleset
from grouper.syntax import codes as syntax

ALL: tuple[Code, ...] = tuple(
    sorted(
        (*syntax.ALL, *ruleset.ALL, *matching.ALL, *checks.CODES, *inventory.ALL),
        key=lambda code: code.id,
    )
)
