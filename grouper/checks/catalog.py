"""Every kind of finding, ordered by code, imported from the files that define them."""

from __future__ import annotations

from importlib import import_module

from grouper.checks.pages import ROWS, Row
from grouper.text.findings import Code


def _code(row: Row) -> Code:
    defined = vars(import_module(f"grouper.{row.home}")).values()
    return next(code for code in defined if isinstance(code, Code) and code.id == row.code)


ALL: tuple[Code, ...] = tuple(map(_code, ROWS))
