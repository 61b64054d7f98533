"""Every kind of finding, in the order of the codes."""

from __future__ import annotations

from grouper.checks import allowed, unreached_lr
from grouper.checks.table import CHECKS
from grouper.findings import Code
from grouper.group.compare import RANKS_DISAGREE
from grouper.language.resolve import codes as resolve
from grouper.language.syntax import codes as syntax
from grouper.match import codes as match
from grouper.model import codes as model

ALL: tuple[Code, ...] = tuple(
    sorted(
        (
            *(check.module.CODE for check in CHECKS),
            allowed.CODE,
            unreached_lr.CODE,
            *syntax.ALL,
            *resolve.ALL,
            *match.ALL,
            *model.ALL,
            RANKS_DISAGREE,
        ),
        key=lambda code: code.id,
    )
)
