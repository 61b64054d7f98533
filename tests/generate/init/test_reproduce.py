"""The rules that `init` writes for an optimizer give exactly its groups."""

import random
import re
from functools import lru_cache
from importlib import import_module

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from support import groupings  # noqa: E402
from support.commands import run  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.generate.init.text import canonical  # noqa: E402

# What is not an option: names, and what schedulers keep.
NO_OPTIONS = ("params", "param_names", "name", "group_name", "initial_lr")
TIMM = ("resnet18", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "convnext_atto",
        "nest_tiny", "dla34")  # fmt: skip
ENCODERS = ("BertForSequenceClassification", "T5ForConditionalGeneration", "GPT2LMHeadModel",
            "MambaForCausalLM", "RobertaPreLayerNormModel")  # fmt: skip
YOLO = ("v8/yolov8-cls.yaml", pytest.param("26/yolo26.yaml", marks=pytest.mark.nightly))


def terms(optimizer):
    """The groups as values: tensors that train, and options; 1 and 1.0 are one."""
    found = []
    for group in optimizer.param_groups:
        members = frozenset(id(p) for p in group["params"] if p.requires_grad)
        options = {k: _value(v) for k, v in group.items() if k not in NO_OPTIONS}
        if members:
            found.append((sorted(members), sorted(options.items())))
    return sorted(found)


def _value(value):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(float(value)) if number else repr(value)


def same_groups(model, optimizer):
    """The rules, once they were seen to give the optimizer's groups."""
    rules = grouper.init(model, optimizer=optimizer)
    built = grouper.build_optimizer(model, rules)
    assert type(built).__mro__[1:] == type(optimizer).__mro__[1:] or type(built) is type(optimizer)
    assert terms(built) == terms(optimizer), str(rules)
    built.unfreeze()
    assert canonical(str(rules)) == str(rules)
    return rules


@lru_cache(maxsize=1)  # tests of one model follow each other
def cached(zoo, name):
    return import_module(f"support.{zoo}_models").built(name)


def of_timm(name, build):
    model = cached("timm", name)
    if model is not None and any(p.requires_grad for p in model.parameters()):
        same_groups(model, build(model))


def of_transformers(name, build):
    model = cached("transformers", name)
    if model is not None and any(p.requires_grad for p in model.parameters()):
        same_groups(model, build(model))


def of_ultralytics(config, build):
    model = cached("ultralytics", config)
    same_groups(model, build(model))


@pytest.mark.parametrize("build", [groupings.timm_decay, groupings.timm_layers])
@pytest.mark.parametrize("name", TIMM)
def test_timm(name, build):
    of_timm(name, build)


@pytest.mark.parametrize("build", [groupings.trainer, groupings.nanogpt, groupings.layers_by_name])
@pytest.mark.parametrize("name", ENCODERS)
def test_transformers(name, build):
    of_transformers(name, build)


@pytest.mark.parametrize("optimizer", ["SGD", "AdamW", "MuSGD"])
@pytest.mark.parametrize("config", YOLO)
def test_ultralytics(config, optimizer):
    of_ultralytics(config, groupings.ultralytics(optimizer))


@pytest.mark.parametrize("config", YOLO)
def test_yolov5(config):
    of_ultralytics(config, groupings.yolov5)


@pytest.mark.parametrize("name", ["LlamaForCausalLM", "GPT2LMHeadModel"])
def test_lora_plus(name):
    pytest.importorskip("peft")
    from support.transformers_models import built

    model = built(name)
    optimizer = groupings.lora_plus(model)
    same_groups(model, optimizer)


@pytest.mark.nightly
def test_the_zoos():
    from support.timm_models import list_models
    from support.transformers_models import names
    from support.ultralytics_models import ALL

    for name in list_models()[::8]:
        for build in (groupings.timm_decay, groupings.timm_layers):
            of_timm(name, build)
    for name in names()[::8]:
        for build in (groupings.trainer, groupings.nanogpt, groupings.layers_by_name):
            of_transformers(name, build)
    for config in ALL[::3]:
        for build in (groupings.ultralytics("auto"), groupings.yolov5):
            of_ultralytics(config, build)


def _timm_checkpoint():
    import timm

    model = timm.create_model("test_vit")
    return model, groupings.timm_layers(model)


def _trainer_checkpoint():
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(hidden_size=16, num_attention_heads=2, intermediate_size=32,
                        vocab_size=50, num_hidden_layers=2)  # fmt: skip
    model = BertForSequenceClassification(config)
    return model, groupings.trainer(model)


def _named_checkpoint():
    model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 2))
    named = [*model.named_parameters()]
    groups = [{"params": named[3:], "lr": 0.1}, {"params": named[:3], "lr": 0.01}]
    return model, torch.optim.Adam(groups)


@pytest.mark.parametrize("make", [_timm_checkpoint, _trainer_checkpoint, _named_checkpoint])
def test_a_checkpoint_of_a_run(make, tmp_path, capsys):
    """Where torch has no names for its tensors, order and shapes tell which they are."""
    model, optimizer = make()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    path = str(tmp_path / "last.pt")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    status, text, error = run(capsys, "init", "--from", path)
    assert (status, error) == (0, "")
    assert ("no names of parameters" in text) == ("param_names" not in optimizer.param_groups[0])
    assert terms(grouper.build_optimizer(model, grouper.parse(text))) == terms(optimizer)


def test_layer_decay_is_one_rule():
    from support.timm_models import built

    model = built("vit_tiny_patch16_224")
    text = str(same_groups(model, groupings.timm_layers(model)))
    assert "blocks.{i}.* -> blocks{i} lr_scale=0.75**(count(i) - i)" in text
    assert text.count("->") == 6  # for 27 groups


def test_one_group_is_one_rule():
    model = nn.Linear(2, 2)
    rules = same_groups(model, groupings.plain(model))
    assert str(rules) == "optimizer SGD lr=0.1 momentum=0.9\n* -> all\n"


def test_rates_that_no_formula_gives_are_a_table():
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(5)))
    rates = [0.1, 0.3, 0.2, 0.25, 0.6]
    groups = [{"params": m.parameters(), "lr": r} for m, r in zip(model, rates, strict=True)]
    text = str(same_groups(model, torch.optim.SGD(groups)))
    assert "let lr_of_layer = (0.1, 0.3, 0.2, 0.25, 0.6)" in text
    assert "{i}.* -> layer{i} lr=lr_of_layer[i]" in text


def test_groups_keep_their_order_and_names():
    """A state without names is loaded by the order of groups."""
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 2))
    groups = [
        {"params": [*model[2].parameters()], "lr": 0.1, "name": "head"},
        {"params": [*model[0].parameters()], "lr": 0.01, "name": "stem"},
        {"params": [*model[1].parameters()], "lr": 0.01, "name": "middle"},
    ]
    rules = same_groups(model, torch.optim.SGD(groups))
    names = [g["name"] for g in grouper.build_optimizer(model, rules).param_groups]
    assert names == ["head", "stem", "middle"]


def test_a_scheduler_is_taken_back_to_its_start():
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=9)
    optimizer.step()
    scheduler.step()
    rules = grouper.init(model, optimizer=optimizer)
    (built,) = grouper.build_optimizer(model, rules).param_groups
    assert built["lr"] == optimizer.param_groups[0]["initial_lr"] == pytest.approx(0.5 / 25)
    assert not {"max_lr", "min_lr"} & built.keys()


def test_what_is_in_no_group_is_frozen():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 2))
    text = str(same_groups(model, torch.optim.SGD(model[2].parameters(), lr=0.1)))
    assert re.search(r"^.* -> freeze$", text, re.M)


def test_what_the_model_has_frozen_needs_no_rule():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    text = str(same_groups(model, torch.optim.SGD(model.parameters(), lr=0.1)))
    assert "freeze" not in text


def test_a_tied_tensor_is_named_whole_where_nothing_trains_it():
    model = nn.ModuleDict({"emb": nn.Embedding(4, 2), "body": nn.Linear(2, 2)})
    model["head"] = nn.Linear(2, 4, bias=False)
    model["head"].weight = model["emb"].weight
    text = str(same_groups(model, torch.optim.SGD(model["body"].parameters(), lr=0.1)))
    assert '"emb.weight" or "head.weight" -> freeze' in text


def test_several_optimizers_of_grouper():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    text = "optimizer SGD as a lr=1\noptimizer Adam as b lr=2\n0.* -> x; 1.* -> y optimizer=b"
    optimizer = grouper.build_optimizer(model, grouper.parse(text))
    rules = grouper.init(model, optimizer=optimizer)
    assert terms(grouper.build_optimizer(model, rules)) == terms(optimizer)


def test_a_tensor_in_two_groups_has_no_rules():
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD([{"params": [model.weight]}, {"params": [model.bias]}], lr=0.1)
    optimizer.param_groups[1]["params"].append(model.weight)
    with pytest.raises(ValueError, match="in two groups"):
        grouper.init(model, optimizer=optimizer)


def test_another_models_optimizer_has_no_rules():
    optimizer = torch.optim.SGD(nn.Linear(3, 3).parameters(), lr=0.1)
    with pytest.raises(ValueError, match="no group with a parameter of this model"):
        grouper.init(nn.Conv2d(1, 1, 1), optimizer=optimizer)


class Odd(nn.Module):
    """Lists of layers, a tied head, and names that no selector can be without quotes."""

    def __init__(self):
        super().__init__()
        layer = {"attn": nn.Linear, "norm": lambda size, _: nn.LayerNorm(size)}
        self.layers = nn.ModuleList(
            nn.ModuleDict({name: make(4, 4) for name, make in layer.items()}) for _ in range(4)
        )
        self.emb, self.head = nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)
        self.head.weight = self.emb.weight
        names = ("a b", "x{1}", "q,r", 'ü"', "else")
        self.strange = nn.ParameterDict({name: nn.Parameter(torch.zeros(2)) for name in names})


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_any_grouping_whatever(seed):
    chance, model = random.Random(seed), Odd()
    keys = {"lr": (0.1, 1e-3 * 0.9, 1 / 3), "weight_decay": (0, 0.1), "lr_scale": (1, 0.5)}
    groups = [
        {"params": [], **{k: chance.choice(v) for k, v in keys.items() if chance.random() < 0.8}}
        for _ in range(chance.randint(1, 8))
    ]
    for parameter in model.parameters():
        if chance.random() < 0.9:
            chance.choice(groups)["params"].append(parameter)
        parameter.requires_grad_(chance.random() < 0.9)
    filled = [g for g in groups if any(p.requires_grad for p in g["params"])]
    if filled:
        same_groups(model, chance.choice([torch.optim.SGD, torch.optim.AdamW])(filled))
