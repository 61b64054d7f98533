"""The example of many processes runs as it stands, and goes on on another number of them."""

import re

import pytest

pytest.importorskip("torch")

from support.monitor_runs import read_run
from support.torchrun import ROOT, launch

pytestmark = pytest.mark.slow


def losses(text):
    return [float(loss) for loss in re.findall(r"loss ([0-9.]+)", text)]


def test_the_example_learns_and_goes_on_on_one_process(tmp_path):
    example = ROOT / "examples" / "distributed.py"
    by_two = losses(launch(example, 2, tmp_path))
    said = launch(example, 1, tmp_path)
    by_one = losses(said)
    assert "from step 40: optimizer state by name: 27 kept\n" in said
    assert len(by_two) == len(by_one) == 2
    assert by_one[-1] < by_one[0] < by_two[-1] < by_two[0]
    assert by_one[-1] < by_two[0] / 3
    watched = read_run(tmp_path / "distributed.jsonl")
    assert [record.step for record in watched.records] == list(range(0, 80, 10))
