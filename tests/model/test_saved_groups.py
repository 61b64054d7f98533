"""Optimizers' states in checkpoints, as training programs write them, read without running them."""

import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.model.read_optimizer import read_optimizers  # noqa: E402


def net():
    return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))


def stepped(model, build=torch.optim.AdamW, **options):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1]},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = build(groups, **{"lr": 1e-3, "weight_decay": 0.1, **options})
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return optimizer


def names_of(audit):
    return [[list(g.parameters) for g in o.groups] for o in audit.optimizers]


WANTED = [["0.weight", "2.weight"], ["0.bias", "1.weight", "1.bias", "2.bias"]]
LAYOUTS = {
    "own": lambda m, o: {"model": m.state_dict(), "optimizer": o.state_dict()},
    "timm": lambda m, o: {
        "epoch": 3,
        "arch": "net",
        "state_dict": m.state_dict(),
        "optimizer": o.state_dict(),
        "version": 2,
    },
    "yolov5": lambda m, o: {
        "epoch": 3,
        "model": m,
        "ema": None,
        "updates": 5,
        "optimizer": o.state_dict(),
        "opt": {"lr": 3},
    },
    "lightning": lambda m, o: {
        "state_dict": {f"model.{name}": t for name, t in m.state_dict().items()},
        "optimizer_states": [o.state_dict()],
        "lr_schedulers": [{"base_lrs": [1], "param_groups": 3}],
    },
    "nested": lambda m, o: {"train": {"module": m.state_dict(), "optim": o.state_dict()}},
    "half": lambda m, o: {
        "model": m.half(),
        "optimizer": {
            **o.state_dict(),
            "state": {
                n: {k: v.half() for k, v in s.items()} for n, s in o.state_dict()["state"].items()
            },
        },
    },
    "named": lambda m, o: {
        "model": m.state_dict(),
        "optimizer": torch.optim.SGD(m.named_parameters()).state_dict(),
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("legacy", [False, True])
def test_layouts_of_checkpoints(layout, legacy, tmp_path):
    model = net()
    value = LAYOUTS[layout](model, stepped(model))
    path = tmp_path / "last.pt"
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    audit = grouper.audit(path)
    prefix = "model." if layout == "lightning" else ""
    wanted = [[n for n, _ in net().named_parameters()]] if layout == "named" else WANTED
    assert names_of(audit) == [[[prefix + name for name in group] for group in wanted]]
    (optimizer,) = audit.optimizers
    assert optimizer.named == (layout == "named")
    assert optimizer.optimizer == ("SGD" if layout == "named" else "AdamW")
    assert not optimizer.guessed
    assert audit.findings == (), str(audit)


def test_several_optimizers(tmp_path):
    model = net()
    head, body = list(model[2].parameters()), [*model[0].parameters(), *model[1].parameters()]
    states = [torch.optim.Adam(head).state_dict(), torch.optim.SGD(body, lr=1).state_dict()]
    torch.save({"state_dict": model.state_dict(), "optimizer_states": states}, tmp_path / "a.ckpt")
    saved = read_optimizers(str(tmp_path / "a.ckpt"))
    assert [one.key for one in saved.optimizers] == ["optimizer_states.0", "optimizer_states.1"]
    assert [one.optimizer for one in saved.optimizers] == ["Adam", "SGD"]


def test_options_of_every_kind(tmp_path):
    model = net()
    optimizer = stepped(model, capturable=False, betas=[np.float64(0.5), 0.9])
    group = optimizer.param_groups[0]
    group.update(
        lr=np.interp(1, [0, 2], [0.0, 0.5]),
        eps=torch.tensor(1e-3),
        name="decay",
        function=print,
        single=np.float32(0.5),
        whole=np.int64(3),
        flag=np.bool_(True),
        nothing=None,
    )
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "a")
    (saved,) = read_optimizers(str(tmp_path / "a")).optimizers
    options = dict(saved.groups[0].options)
    known = {key: options[key] for key in ("lr", "betas", "single", "whole", "flag", "nothing")}
    assert known == {
        "lr": 0.25,
        "betas": (0.5, 0.9),
        "single": 0.5,
        "whole": 3,
        "flag": True,
        "nothing": None,
    }
    assert options["name"] == "decay"
    assert not {"eps", "function", "params", "param_names"} & set(options)


def test_before_the_first_step_the_division_is_a_guess(tmp_path):
    model = net()
    optimizer = torch.optim.SGD(
        [{"params": model[0].parameters()}, {"params": model[1:].parameters()}]
    )
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "a")
    audit = grouper.audit(tmp_path / "a")
    assert audit.optimizers[0].guessed
    assert "guessed from counts" in str(audit)


def test_a_run_that_has_ended_says_so(tmp_path):
    torch.save({"model": net(), "optimizer": None, "ema": None, "epoch": -1}, tmp_path / "best.pt")
    with pytest.raises(grouper.ModelError, match="`optimizer` is None, as YOLOv5 and Ultralytics"):
        grouper.audit(tmp_path / "best.pt")
    torch.save(net().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(grouper.ModelError, match="has no optimizer state"):
        grouper.audit(tmp_path / "weights.pt")
    with pytest.raises(grouper.ModelError, match="beside a model"):
        grouper.audit(tmp_path)


def test_a_state_alone(tmp_path):
    model = net()
    torch.save(stepped(model).state_dict(), tmp_path / "optimizer.pt")
    with pytest.raises(grouper.ModelError, match="no model is beside it"):
        grouper.audit(tmp_path / "optimizer.pt")
    torch.save(model.state_dict(), tmp_path / "elsewhere.pt")
    audit = grouper.audit(tmp_path / "optimizer.pt", tmp_path / "elsewhere.pt")
    assert names_of(audit) == [WANTED]
    audit = grouper.audit(tmp_path / "optimizer.pt", grouper.check(model, "no-decay").inventory)
    assert names_of(audit) == [WANTED]


def test_another_model_is_an_error(tmp_path):
    torch.save(
        {"model": net().state_dict(), "optimizer": stepped(net()).state_dict()}, tmp_path / "a"
    )
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "b")
    (finding,) = grouper.audit(tmp_path / "a", tmp_path / "b").findings
    assert finding.code.id == "GR607"


def test_a_replaced_layer_is_seen_where_there_are_names(tmp_path):
    model = net()
    optimizer = torch.optim.SGD(model.named_parameters(), lr=0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    model[2] = nn.Linear(8, 3)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "a")
    audit = grouper.audit(tmp_path / "a")
    assert [f.code.id for f in audit.findings] == ["GR601", "GR604"]
    assert audit.findings[1].parameters == ("2.weight", "2.bias")


class Ran:
    """Would leave a file behind if anything of the checkpoint were run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_nothing_of_the_file_is_run(tmp_path):
    model = net()
    state = stepped(model).state_dict()
    trap = Ran(str(tmp_path / "ran"))
    state["param_groups"][0]["lr"] = trap
    state["state"][0]["exp_avg"] = trap
    torch.save({"model": model.state_dict(), "optimizer": state, "x": trap}, tmp_path / "a")
    grouper.audit(tmp_path / "a")
    assert not (tmp_path / "ran").exists()


DAMAGED = [
    {"state": 3, "param_groups": 4},
    {"state": {}, "param_groups": [3, None, {}]},
    {"state": {0: 5}, "param_groups": [{"params": "abc"}]},
    {"state": {}, "param_groups": [{"params": [0, 0, "x", None], "param_names": [1]}]},
    {"state": {}, "param_groups": [{"params": [0], "lr": "fast", "betas": {}, "eps": [[[]]]}]},
    {"state": {(0,): {}}, "param_groups": {"params": [0]}},
    {"state": {0: {"exp_avg": [1]}}, "param_groups": [{"params": range(10**9)}]},
]


@pytest.mark.parametrize("state", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_states_are_findings(state, tmp_path):
    torch.save({"model": net().state_dict(), "optimizer": state}, tmp_path / "a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audit = grouper.audit(tmp_path / "a")
    assert str(audit)
    assert audit._repr_html_()


def test_a_file_that_is_no_checkpoint(tmp_path):
    (tmp_path / "a").write_bytes(b"nothing")
    (tmp_path / "b").write_bytes(pickle.dumps({"state": {}, "param_groups": []}))
    for name in ("a", "b"):
        with pytest.raises(grouper.ModelError):
            grouper.audit(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        grouper.audit(tmp_path / "c")
