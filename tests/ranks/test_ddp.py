"""Two ranks under DistributedDataParallel: rules freeze and unfreeze, and weights stay the same."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from support.torchrun import launch  # noqa: E402


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The outcome of each case, which is the same on both ranks."""
    folder = tmp_path_factory.mktemp("ddp")
    launch(HERE / "ddp.py", 2, folder)
    one, other = (json.loads((folder / f"ddp{rank}.json").read_text()) for rank in (0, 1))
    assert one == other
    return one


@pytest.mark.parametrize(
    "case",
    [
        "built_first",
        "unused_looked_for",
        "unfrozen_unwrapped",
        "frozen_in_a_static_graph",
        "without_a_wrapper",
    ],
)
def test_weights_are_the_same_on_both_ranks_after_steps(found, case):
    frozen = case in ("built_first", "frozen_in_a_static_graph")
    assert found[case]["said"] == "trained"
    assert found[case]["same"]
    assert found[case]["moved"] == [not frozen, not frozen, True, True]


@pytest.mark.parametrize("case", ["wrapped_first", "wrapped_first_inner"])
def test_freezing_what_a_wrapper_waits_for_is_refused(found, case):
    assert found[case]["said"].startswith(
        "DistributedDataParallel was constructed before the rules froze `0.{weight,bias}`"
    )
    assert "build the groups first and wrap the model then" in found[case]["said"]
    assert found[case]["trainable"] == [True] * 4


@pytest.mark.parametrize("case", ["unfrozen", "unfrozen_through_the_wrapper", "unfrozen_report"])
def test_training_what_a_wrapper_does_not_average_is_refused(found, case):
    assert found[case]["said"].startswith(
        "DistributedDataParallel was constructed while `0.{weight,bias}` did not require a gradient"
    )
    assert "wrap the model again" in found[case]["said"]
    assert found[case]["same"]
    assert found[case]["groups"] == (None if case == "unfrozen_report" else 1)


def test_a_static_graph_is_not_changed(found):
    assert "`static_graph=True` cannot train" in found["unfrozen_in_a_static_graph"]["said"]
    assert found["unfrozen_in_a_static_graph"]["same"]


def test_parameters_that_the_user_takes_out_of_the_averaging_are_no_fault(found):
    assert found["ignored_by_name"]["said"] == "trained"
