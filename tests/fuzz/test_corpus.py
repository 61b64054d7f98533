"""The fuzz targets hold on all known inputs, and on a few thousand changes of them."""

import importlib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TRIED = 3000
TARGETS = ["archives", "files", "folders", "pickles"]


@pytest.fixture
def fuzz(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE.parent))
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module


@pytest.mark.parametrize("target", TARGETS)
def test_known_inputs(target, fuzz):
    one, inputs = fuzz(target).one, fuzz("run").corpus(target)
    assert len(inputs) >= 5
    for data in inputs:
        one(data)
        one(data[: len(data) // 2])


@pytest.mark.parametrize("target", TARGETS)
def test_changed_inputs(target, fuzz):
    one, inputs = fuzz(target).one, fuzz("run").corpus(target)
    mutated = fuzz("mutations").mutated
    for seed in range(TRIED):
        one(mutated(inputs, seed))


def test_the_same_seed_is_the_same_input(fuzz):
    mutated, inputs = fuzz("mutations").mutated, fuzz("run").corpus("pickles")
    assert [mutated(inputs, s) for s in range(50)] == [mutated(inputs, s) for s in range(50)]
    assert len({mutated(inputs, s) for s in range(200)}) > 150


def test_a_target_can_fail(fuzz, monkeypatch):
    """A reader that lets an error through is found."""
    pickles = fuzz("pickles")
    monkeypatch.setattr(pickles.find_model, "find", lambda *_: {}["missing"])
    with pytest.raises(KeyError):
        pickles.one(b"N.")
