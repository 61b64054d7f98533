"""A page is found without importing the checks, and is the one that they have."""

import inspect

from grouper.checks import pages
from grouper.checks.catalog import ALL
from grouper.checks.table import CHECKS


def test_every_finding_has_its_row():
    rows = [(code.id, code.name, code.severity.value) for code in ALL]
    assert [row[:3] for row in pages.ROWS] == rows
    assert rows == sorted(rows)
    homes = {row.home for row in pages.ROWS}
    assert {f"checks.{check.name}" for check in CHECKS} < homes


def test_pages_are_those_of_the_codes():
    for row, code in zip(pages.ROWS, ALL, strict=True):
        assert pages.page(row) == inspect.cleandoc(code.page)
        assert pages.find(row.code.lower()) == pages.find(row.name) == row
    assert pages.find("none") is None
