"""A monitor of every step, and the records that it made."""

import pytest

import grouper


@pytest.fixture
def seen():
    return []


@pytest.fixture
def watch(tmp_path, seen):
    def start(optimizer, plan=None, **options):
        options = {"every": 1, "path": tmp_path / "run.jsonl", "on_record": seen.append, **options}
        return grouper.Monitor(optimizer, plan, **options)

    return start
