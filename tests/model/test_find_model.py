"""Where the model is in what training programs save, and which of several."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.model.errors import ModelError  # noqa: E402
from grouper.model.read import read  # noqa: E402
from grouper.text.findings import Severity  # noqa: E402


def network():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


STATE = network().state_dict()
OPTIMIZER = torch.optim.AdamW(network().parameters()).state_dict()
NAMES = ["0.weight", "0.bias", "1.weight", "1.bias"]


class Plain:
    """An object of any class."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("__dict__", "other")

    def __init__(self, **attributes):
        vars(self).update(attributes)
        self.other = 1


LIGHTNING = {
    "epoch": 3, "global_step": 7, "pytorch-lightning_version": "2.4.0",
    "state_dict": {f"model.{name}": tensor for name, tensor in STATE.items()},
    "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1}}}},
    "callbacks": {"EarlyStopping": {"wait_count": 0, "best_score": torch.tensor(0.5)}},
    "optimizer_states": [OPTIMIZER], "lr_schedulers": [{"last_epoch": 3}],
    "hparams_name": "kwargs", "hyper_parameters": {"lr": 0.1, "betas": (0.9, 0.999)},
}  # fmt: skip
PROGRAMS = {
    "bare": (STATE, None),
    "lightning": (LIGHTNING, "state_dict"),
    "timm": ({"epoch": 1, "arch": "x", "state_dict": STATE, "optimizer": OPTIMIZER,
              "metric": torch.tensor(0.7), "version": 2}, "state_dict"),
    "torchvision": ({"model": STATE, "optimizer": OPTIMIZER, "lr_scheduler": {}, "epoch": 1,
                     "scaler": {"scale": torch.tensor(2.0)}}, "model"),
    "openmmlab": ({"meta": {"epoch": 1, "CLASSES": ("a", "b"), "mmengine_version": "0.1"},
                   "state_dict": STATE, "message_hub": {"log_scalars": {"loss": torch.tensor(1.0)}},
                   "optimizer": OPTIMIZER, "param_schedulers": [{"last_step": 1}]}, "state_dict"),
    "tutorial": ({"epoch": 1, "model_state_dict": STATE, "optimizer_state_dict": OPTIMIZER,
                  "loss": torch.tensor(0.5)}, "model_state_dict"),
    "ultralytics": ({"epoch": -1, "model": None, "ema": network(), "updates": 3,
                     "optimizer": None, "train_args": {"lr0": 0.01}}, "ema"),
    "basicsr": ({"params_ema": STATE}, "params_ema"),
    "gan": ({"generator": STATE, "opt_g": OPTIMIZER}, "generator"),
    "rng": ({"net": STATE, "rng_states": {"cpu": torch.get_rng_state()},
             "generator_state": torch.get_rng_state()}, "net"),
    "object": (Plain(trainer=Plain(model=network(), step=3)), "trainer.model"),
    "slots": (Slotted(module=STATE), "module"),
    "list": ([STATE, OPTIMIZER], "0"),
    "tuple": ((3, {"weights": STATE}), "1.weights"),
    "deep": ({"a": {"b": {"c": {"d": {"e": {"f": {"g": STATE}}}}}}}, "a.b.c.d.e.f.g"),
    "fairseq": ({"args": Plain(arch="x"), "model": STATE, "last_optimizer_state": OPTIMIZER,
                 "optimizer_history": [{"num_updates": 1}],
                 "extra_state": {"train_iterator": {"epoch": 1}, "val_loss": 1.0}}, "model"),
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_programs_save(program, tmp_path):
    saved, key = PROGRAMS[program]
    path = str(tmp_path / "checkpoint.pt")
    torch.save(saved, path)
    inventory = read(path)
    assert inventory.key == key
    assert [p.name.removeprefix("model.") for p in inventory.parameters] == NAMES
    assert inventory.findings == ()
    if key is not None:
        again = read(path, key)
        assert again.parameters == inventory.parameters


def wider():
    return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4))


WIDER = wider().state_dict()
SEVERAL = {
    "average": ({"ema": wider(), "model": network()}, "ema", ("`model`",)),
    "average of other names": ({"model": STATE, "ema": {"w": torch.zeros(2)}}, "ema", ("`model`",)),
    "an average without parameters": (
        {"ema": nn.Sequential(nn.ReLU()), "model": network()},
        "model",
        ("`ema`",),
    ),
    "an average further down": (
        {"model": STATE, "callbacks": {"ema": WIDER}},
        "model",
        ("`callbacks.ema`",),
    ),
    "lightning's parts": (
        {"state_dict": STATE, "hyper_parameters": {"backbone": wider()}},
        "state_dict",
        ("`hyper_parameters.backbone`",),
    ),
    "adversaries": ({"netD": STATE, "netG": dict(WIDER)}, "netG", ("`netD`",)),
    "unknown words": ({"b": STATE, "a": dict(WIDER)}, "b", ("`a`",)),
    "teacher": (
        {"teacher": dict(STATE), "student": STATE, "params_ema": dict(WIDER)},
        "student",
        ("`teacher`", "`params_ema`"),
    ),
}
ALIKE = {
    "average": ({"ema": network(), "model": network()}, "model"),
    "a frozen average": ({"model": network(), "ema": network().requires_grad_(False)}, "model"),
    "averages": ({"model": STATE, "ema": dict(STATE), "teacher": network()}, "model"),
    "in another order": ({"model": STATE, "ema": dict(reversed(STATE.items()))}, "model"),
}


@pytest.mark.parametrize("case", ALIKE)
def test_of_several_that_are_alike_nothing_is_said(case, tmp_path):
    saved, key = ALIKE[case]
    path = str(tmp_path / "checkpoint.pt")
    torch.save(saved, path)
    inventory = read(path)
    assert (inventory.key, inventory.findings) == (key, ())
    assert read(path, "ema").key == "ema"


@pytest.mark.parametrize("case", SEVERAL)
def test_of_several_one_is_taken_and_all_are_listed(case, tmp_path):
    saved, key, others = SEVERAL[case]
    path = str(tmp_path / "checkpoint.pt")
    torch.save(saved, path)
    inventory = read(path)
    assert inventory.key == key
    (finding,) = inventory.findings
    assert finding.code.id == "GR409"
    assert f"using `{key}`" in finding.message
    assert all(other in finding.notes[0] for other in others)
    assert ("like in Ultralytics" in finding.message) is (key == "ema")
    for chosen in (key, *(other.strip("`") for other in others)):
        if "without" in case and chosen == "ema":
            continue
        assert read(path, chosen).key == chosen
        assert read(path, chosen).findings == ()
    rules = grouper.parse("* -> all lr=0.1")
    report = grouper.check(path, rules)
    assert finding in report.findings
    assert report.ok
    assert (
        grouper.check(path, grouper.parse("* -> all lr=0.1\nallow several-models")).findings == ()
    )
    assert not grouper.check(path, rules, key=key).findings
    assert finding.severity is Severity.NOTE
    faulty = grouper.check(path, grouper.parse("a => b"))
    assert finding in faulty.findings


def test_an_optimizer_is_named(tmp_path):
    """What is found beside a model's file, and taken for it."""
    path = str(tmp_path / "optimizer.pt")
    torch.save(OPTIMIZER, path)
    with pytest.raises(ModelError, match="optimizer state and no model"):
        read(path)


def test_a_model_without_parameters_is_none_to_train(tmp_path):
    path = str(tmp_path / "quantised.pt")
    linear = {nn.Linear}
    quantised = torch.ao.quantization.quantize_dynamic(network(), linear)[:1]
    for saved in (quantised, quantised.state_dict()):
        torch.save(saved, path)
        with pytest.raises(ModelError, match="a model without parameters, like quantised models"):
            read(path)


@pytest.mark.parametrize("pack", [list, tuple, lambda tensors: next(iter(tensors))])
def test_tensors_without_names(pack, tmp_path):
    path = str(tmp_path / "parameters.pt")
    torch.save(pack(network().parameters()), path)
    with pytest.raises(ModelError, match="tensors without names"):
        read(path)


def test_many_models_are_not_all_listed(tmp_path):
    path = str(tmp_path / "checkpoint.pt")
    torch.save({f"net{i}": {"w": torch.zeros(2)} for i in range(40)}, path)
    (finding,) = read(path).findings
    assert finding.notes[0].endswith("and 27 more")


def test_keys_that_lead_nowhere(tmp_path):
    path = str(tmp_path / "checkpoint.pt")
    for saved, help in (
        ({"model": STATE, "optimizer": OPTIMIZER}, "models are under: `model`"),
        (STATE, "omit `--key`"),
        ({"epoch": 1}, "it holds no model"),
    ):
        torch.save(saved, path)
        for key in ("optimizer", "modle", ""):
            if key == "" and saved is STATE:
                continue
            with pytest.raises(ModelError) as caught:
                read(path, key)
            assert caught.value.finding.code.id == "GR405"
            assert help in caught.value.finding.help


def test_an_optimizer_alone_is_no_model(tmp_path):
    path = str(tmp_path / "optimizer.pt")
    model = network()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(2, 2)).sum().backward()
    optimizer.step()
    for saved in (optimizer.state_dict(), {"optimizer": optimizer.state_dict(), "epoch": 3}):
        torch.save(saved, path)
        with pytest.raises(ModelError) as caught:
            read(path)
        assert caught.value.finding.code.id == "GR401"
