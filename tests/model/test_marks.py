"""What a model says of its own parameters: attributes, and lists of modules."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402
from grouper.model.read import read  # noqa: E402


class Encoder(nn.Module):
    """A module with a list of each kind."""

    called = 0

    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(3))
        self.layer = nn.Linear(3, 2)
        self.layer.bias._no_weight_decay = True
        self.layer.weight._no_weight_decay = False
        self.mine = ["layer.weight", "not there"]

    def no_weight_decay(self):
        type(self).called += 1
        return {"token"}

    @property
    def slow(self):
        return ("token",)


class Faulty(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))

    def no_weight_decay(self):
        raise KeyError("lost")


def model():
    return nn.Sequential(Encoder(), nn.Linear(2, 2))


def carried(inventory, word):
    marks = inventory.marks.of(word)
    return marks if marks is None else sorted(marks)


def test_attributes_and_lists_of_a_live_model():
    Encoder.called = 0
    inventory = inventory_of(model(), ["mine", "slow", "eval", "absent"])
    assert Encoder.called == 1
    assert carried(inventory, "_no_weight_decay") == ["0.layer.bias"]
    assert carried(inventory, "no_weight_decay") == ["0.token"]
    assert carried(inventory, "mine") == ["0.layer.weight"]
    assert carried(inventory, "slow") == ["0.token"]
    assert carried(inventory, "absent") == carried(inventory, "no_weight_decay_keywords") == []
    assert carried(inventory, "eval") == []
    assert carried(inventory, "not_asked_for") is None


def test_nothing_that_every_module_has_is_called():
    net = model()
    inventory_of(net, ["eval", "zero_grad", "requires_grad_", "half"])
    assert net.training
    assert net[0].token.dtype == torch.float32


def test_wrappers_are_not_seen():
    inventory = inventory_of(torch.nn.DataParallel(model()), ["mine"])
    assert carried(inventory, "no_weight_decay") == ["0.token"]
    assert carried(inventory, "mine") == ["0.layer.weight"]


def test_tied_parameters_carry_a_mark_by_every_name():
    net = model()
    net[1].bias = net[0].layer.bias
    assert carried(inventory_of(net), "_no_weight_decay") == ["0.layer.bias", "1.bias"]


def test_a_list_that_fails_is_a_finding():
    inventory = inventory_of(nn.Sequential(Faulty()))
    (finding,) = inventory.findings
    assert finding.code.id == "GR411"
    assert "`no_weight_decay` of the module `0`" in finding.message
    assert "KeyError" in finding.message


def test_a_snapshot_keeps_what_is_recorded():
    again = snapshot.loads(snapshot.dumps(inventory_of(model())))
    assert carried(again, "_no_weight_decay") == ["0.layer.bias"]
    assert carried(again, "no_weight_decay") == ["0.token"]
    assert carried(again, "no_weight_decay_keywords") == []
    assert carried(again, "mine") is None


def test_a_whole_module_file_tells_attributes_alone(tmp_path):
    torch.save(model(), tmp_path / "whole.pt")
    inventory = read(str(tmp_path / "whole.pt"))
    assert carried(inventory, "_no_weight_decay") == ["0.layer.bias"]
    assert carried(inventory, "no_weight_decay") is None
    torch.save(model().state_dict(), tmp_path / "state.pt")
    assert read(str(tmp_path / "state.pt")).marks is None


def test_an_entry_of_a_list_may_be_a_pattern():
    net = model()
    net[0].mine = ["layer.*", "t[a-z]ken"]
    assert carried(inventory_of(net, ["mine"]), "mine") == [
        "0.layer.bias",
        "0.layer.weight",
        "0.token",
    ]
