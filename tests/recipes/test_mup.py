"""Rates scaled with the width, from a saved base model, against the package `mup`."""

import pytest

torch = pytest.importorskip("torch")
mup = pytest.importorskip("mup")

from support.recipe_cases import options_of, oracle_options  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.embed = nn.Embedding(10, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            for _ in range(2)
        )
        self.conv = nn.Conv1d(width, 2 * width, 3)
        self.norm = nn.LayerNorm(2 * width)
        self.shift = nn.Parameter(torch.zeros(()))
        self.head = mup.MuReadout(2 * width, 7)


@pytest.mark.parametrize("width", [64, 128, 96])
@pytest.mark.parametrize(
    ("name", "oracle"), [("mup", mup.MuAdamW), ("mup-sgd", mup.MuSGD)], ids=["MuAdamW", "MuSGD"]
)
def test_rates_are_those_of_mup(name, oracle, width, tmp_path):
    """Bit for bit where widths are powers of 2; else to 1e-12, for a product is no quotient."""
    net = Net(width)
    mup.set_base_shapes(net, Net(32), delta=Net(48))
    (tmp_path / "small.json").write_text(snapshot.dumps(inventory_of(Net(32))), "utf-8")
    (tmp_path / "wide.rules").write_text(f'base_model "small.json"\ninclude "{name}.rules"\n')
    rules = grouper.load(tmp_path / "wide.rules", base=1e-2, decay=0.25)
    keys = ("lr", "weight_decay")
    got = options_of(net, rules, *keys)
    groups = oracle(list(net.parameters()), lr=1e-2, weight_decay=0.25).param_groups
    expected = oracle_options(net, groups, *keys)
    assert got.keys() == expected.keys()
    for parameter, values in expected.items():
        exact = width != 96
        assert got[parameter] == (values if exact else pytest.approx(values, rel=1e-12))
    assert len(set(expected.values())) > 1


def test_without_a_base_model_the_file_says_what_to_write():
    (finding, *_) = grouper.load("mup").findings
    assert "no base model" in finding.message
    assert "base_model" in finding.help
