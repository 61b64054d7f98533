"""What the tests of the commands share: a terminal of 80 columns without colours."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
