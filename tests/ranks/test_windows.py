"""Windows on two ranks under DistributedDataParallel: equal bits, nothing moves outside, and
training goes on exactly wherever it stopped."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import windows  # noqa: E402
from support.torchrun import launch  # noqa: E402


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    launch(HERE / "windows.py", 2, folder)
    one, other = (json.loads((folder / f"windows{rank}.json").read_text()) for rank in (0, 1))
    assert one == other
    return one


@pytest.mark.parametrize("optimizer", windows.OPTIMIZERS)
def test_ranks_stay_equal_and_parameters_stand_still_outside(found, optimizer):
    assert all(found[optimizer]["same"])
    for step, (weight, bias, *head) in enumerate(found[optimizer]["moved"]):
        inside = windows.FIRST <= step < windows.END
        assert (weight, bias) == (inside, inside), step
        assert head == [True, True]


@pytest.mark.parametrize("optimizer", windows.OPTIMIZERS)
def test_resuming_inside_and_outside_is_exact(found, optimizer):
    assert found[optimizer]["resumed"] == [True] * 5
