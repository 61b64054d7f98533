"""Stages of a pipeline, on ranks of their own, are one run of one process."""

import json
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import stages  # noqa: E402
from support.torchrun import launch  # noqa: E402


@pytest.mark.parametrize(
    ("way", "ranks"),
    [("replicate", 2), pytest.param("replicate", 4, marks=pytest.mark.nightly), ("fsdp2", 4)],
)
@pytest.mark.slow
def test_stages_have_the_rates_and_the_weights_of_the_whole(way, ranks, tmp_path):
    launch(HERE / "stages.py", ranks, way, tmp_path)
    rates, weights = stages.alone()
    found, seen = {}, set()
    for rank in range(ranks):
        own = json.loads((tmp_path / f"{way}{rank}.json").read_text())
        assert own == [{name: step[name] for name in own[0]} for step in rates]
        seen |= set(own[0])
        for name, weight in torch.load(tmp_path / f"{way}{rank}.pt").items():
            assert torch.equal(found.setdefault(name, weight), weight)
    assert seen == set(rates[0])
    assert set(found) == set(weights)
    for name, weight in weights.items():
        torch.testing.assert_close(found[name], weight.detach(), rtol=1e-5, atol=1e-6)
