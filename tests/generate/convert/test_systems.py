"""Each system's own example configurations against what the system is documented to do.

The oracles say it once more, by themselves, and are held to the same models parameter by parameter.
"""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("yaml")
pytest.importorskip("transformers")

import torch
from generate.convert.oracles import (
    allennlp,
    axolotl,
    detectron2,
    fairseq2,
    kohya,
    llmfoundry,
    models,
    olmo,
    torchtitan,
)
from generate.convert.oracles.compare import assert_same, built, converted, settings, trained

import grouper

ZOO = {
    "resnet18": models.resnet,
    "vit_tiny": models.vit,
    "bert": models.bert,
    "llama": models.llama,
    "yolov8n": models.yolo,
    "small": models.small,
}


def file(folder, value, name="config.json"):
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def owner_trains(model, expected):
    """What the model itself has frozen is in no group of grouper's."""
    return trained(model, expected)


# --- AllenNLP

ALLENNLP = {
    # test_optimizer_parameter_groups, the BERT of its guide, and a frozen embedder
    "regexes": [[["weight"], {"lr": 0.5, "weight_decay": 0.3}], [["bias$"], {"lr": 1.0}]],
    "bert": [[["bert.embeddings", "layer.0"], {"lr": 1e-5}], [["cls"], {"lr": 1e-3}]],
    "frozen": [
        [["embed", "conv1"], {"requires_grad": False}],
        [["norm.*bias|layer4", "head"], {"lr": 0.1}],
    ],
    "dead": [[["nothing_is_called_so", "weight"], {"lr": 0.1}], [["nor_this"], {"lr": 0.2}]],
}


@pytest.mark.parametrize("model", ZOO)
@pytest.mark.parametrize("name", ALLENNLP)
def test_allennlp(name, model, tmp_path):
    optimizer = {"type": "adamw", "lr": 0.01, "parameter_groups": ALLENNLP[name]}
    network = ZOO[model]()
    path = file(tmp_path, {"trainer": {"optimizer": optimizer}})
    conversion = converted(path, network)
    try:
        expected, _ = allennlp.groups(network, optimizer)
    except ValueError:  # a parameter of two groups stops AllenNLP, and grouper with its name
        assert any("allennlp stops at that" in text for text in conversion.lost)
        return
    assert_same(network, conversion.text, expected)


def test_allennlp_stops_at_overlaps_as_rules_do(tmp_path):
    optimizer = {"type": "sgd", "lr": 0.1, "parameter_groups": [[["fc"], {}], [["bias"], {}]]}
    conversion = converted(file(tmp_path, {"trainer": {"optimizer": optimizer}}), models.resnet())
    with pytest.raises(ValueError, match=r"fc\.bias was specified in two"):
        allennlp.groups(models.resnet(), optimizer)
    assert not conversion.report.ok
    assert "fc.bias" in str(grouper.GroupingError(conversion.report))


def test_allennlp_freezes_before_it_groups(tmp_path):
    optimizer = {"type": "adam", "lr": 0.1, "parameter_groups": [[["layer4"], {"lr": 0.2}]]}
    trainer = {"optimizer": optimizer, "no_grad": ["layer1", "^conv1"]}
    network = models.resnet()
    conversion = converted(file(tmp_path, {"trainer": trainer}), network)
    expected, frozen = allennlp.groups(network, optimizer, trainer["no_grad"])
    assert frozen
    assert_same(network, conversion.text, expected)


def test_allennlp_multi(tmp_path):
    optimizer = {
        "type": "multi",
        "optimizers": [
            {"type": "sgd", "lr": 0.1, "momentum": 0.9, "name": "second"},
            {"type": "adamw", "lr": 1e-3, "name": "default"},
        ],
        "parameter_groups": [[["^layer"], {"name": "second"}], [["^fc"], {"lr": 0.5}]],
    }
    conversion = converted(file(tmp_path, {"trainer": {"optimizer": optimizer}}), models.resnet())
    ours = built(models.resnet(), conversion.text)
    for name, options in ours.items():
        second = name.startswith("layer")
        assert ("momentum" in options) == second
        assert options["lr"] == (0.1 if second else 0.5 if name.startswith("fc") else 1e-3)


# --- fairseq2, llm-foundry, OLMo-core, torchtitan

FAIRSEQ2 = {
    "decoder": [{"params": "decoder.*", "lr": 6e-4, "betas": [0.9, 0.97]}],
    "several": [
        {"params": ["model.embed_tokens", r".*\.norm"], "weight_decay": 0.0},
        {"params": r"model\.layers\.[01]", "lr": 1e-5},
        {"params": ".*bias$", "lr": 2e-5, "eps": "default"},
    ],
    "shadowed": [{"params": ".*weight", "lr": 1e-5}, {"params": "layer1", "lr": 1e-6}],
}


@pytest.mark.parametrize("model", ZOO)
@pytest.mark.parametrize("name", FAIRSEQ2)
def test_fairseq2(name, model, tmp_path):
    config = {"lr": 2e-4, "weight_decay": 0.1, "groups": FAIRSEQ2[name]}
    network = ZOO[model]()
    path = file(tmp_path, {"optimizer": {"name": "adamw", "config": config}})
    conversion = converted(path, network)
    expected = owner_trains(network, fairseq2.groups(network, config))
    assert_same(network, conversion.text, expected)


def test_fairseq2_says_that_frozen_parameters_stay_in_its_groups(tmp_path):
    path = file(tmp_path, {"optimizer": {"name": "adamw", "config": {"groups": [{"params": "h"}]}}})
    assert "frozen stay in fairseq2's groups" in converted(path, models.small()).text


LLM_FOUNDRY = {
    "usage": {
        "param_groups": [
            {"param_str_match": "norm", "lr": 1e-4, "weight_decay": 0.0},
            {"param_str_match": "bias", "lr": 5e-4, "weight_decay": 0.0},
        ]
    },
    "disabled": {"disable_grad": ["norm", "bias"]},
    "both": {
        "param_groups": [{"param_str_match": "no.*.bias", "lr": 1e-9, "weight_decay": 0.0}],
        "disable_grad": "embed",
    },
}


@pytest.mark.parametrize("model", ZOO)
@pytest.mark.parametrize("name", LLM_FOUNDRY)
def test_llm_foundry(name, model, tmp_path):
    base = {"name": "adamw", "lr": 1e-3, "weight_decay": 1e-2, "betas": [0.9, 0.999], "eps": 1e-8}
    config = {**base, **LLM_FOUNDRY[name]}
    network = ZOO[model]()
    conversion = converted(file(tmp_path, {"optimizer": config}), network)
    expected, _ = llmfoundry.groups(network, config)
    assert_same(network, conversion.text, expected)


OLMO = {
    "embeddings": [(["*embed*.weight"], {"weight_decay": 0.0})],
    "several": [
        (["*.bias", "bias"], {"weight_decay": 0.0}),
        (["*norm*.weight", "*bn?.weight"], {"weight_decay": 0.0, "lr": 1e-5}),
    ],
    "classes": [(["*.[0-2].*weight"], {"lr": 1e-5}), (["*[!0-9]bias"], {"lr": 1e-6})],
}


@pytest.mark.parametrize("model", ZOO)
@pytest.mark.parametrize("name", OLMO)
def test_olmo_core(name, model, tmp_path):
    base = {"lr": 3e-4, "weight_decay": 0.1, "betas": [0.9, 0.95]}
    overrides = [{"params": params, "opts": opts} for params, opts in OLMO[name]]
    config = {"_CLASS_": "olmo_core.optim.AdamWConfig", **base, "group_overrides": overrides}
    network = ZOO[model]()
    conversion = converted(file(tmp_path, {"train_module": {"optim": config}}), network)
    try:
        expected = olmo.groups(network, base, OLMO[name])
    except ValueError as error:  # there it stops; here the rule is a comment, or a double match
        dead = "does not match" in str(error)
        stops = "olmo stops at it" in conversion.text.replace("\n", " ").replace("    # ", "")
        assert stops if dead else not conversion.report.ok
        return
    assert_same(network, conversion.text, expected)


def test_olmo_core_in_python(tmp_path):
    text = """
from olmo_core.optim import OptimGroupOverride, SkipStepAdamWConfig
LR = 3e-4
optim = SkipStepAdamWConfig(
    lr=LR, weight_decay=0.1, betas=(0.9, 0.95),
    group_overrides=[
        OptimGroupOverride(params=["model.embed_tokens.weight"], opts=dict(weight_decay=0.0))
    ],
)
"""
    network = models.llama()
    conversion = converted(file(tmp_path, text, "train.py"), network)
    override = (["model.embed_tokens.weight"], {"weight_decay": 0.0})
    base = {"lr": 3e-4, "weight_decay": 0.1, "betas": (0.9, 0.95)}
    assert_same(network, conversion.text, olmo.groups(network, base, [override]))
    assert any("leaves out steps" in text for text in conversion.lost)


ADAMW = {"lr": 1e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
TORCHTITAN = {
    "bias": [(r".*\.bias$", "AdamW", {**ADAMW, "weight_decay": 0.0}), (".*", "AdamW", ADAMW)],
    "norms": [
        (r".*norm.*|.*bn.*", "AdamW", {**ADAMW, "weight_decay": 0.0}),
        (r".*layers?.*", "AdamW", {**ADAMW, "lr": 5e-4}),
        (".*", "AdamW", ADAMW),
    ],
    "mixed": [(r"weight$", "Adam", {"lr": 1e-2, "betas": (0.8, 0.9)}), (".*", "AdamW", ADAMW)],
}


@pytest.mark.parametrize("model", ZOO)
@pytest.mark.parametrize("name", TORCHTITAN)
def test_torchtitan(name, model, tmp_path):
    groups = ", ".join(
        f"ParamGroupConfig(pattern={pattern!r}, optimizer_name={optimizer!r},"
        f" optimizer_kwargs={options!r})"
        for pattern, optimizer, options in TORCHTITAN[name]
    )
    text = f"optimizer = OptimizersContainer.Config(param_groups=[{groups}])\n"
    network = ZOO[model]()
    try:
        expected, _ = torchtitan.groups(network, TORCHTITAN[name])
    except ValueError:
        conversion = converted(file(tmp_path, text, "config.py"), network)
        dead = "torchtitan stops at it" in conversion.text or "taken above" in conversion.text
        nothing_left = all(
            not p.name.endswith("bias") for p in conversion.report.inventory.parameters
        )
        assert dead or (name == "mixed" and nothing_left)
        return
    conversion = converted(file(tmp_path, text, "config.py"), network)
    assert_same(network, conversion.text, expected)


def test_torchtitans_newer_configs(tmp_path):
    text = """
from torchtitan.components.optimizer import Adam, AdamW, OptimizersContainer
config = OptimizersContainer.Config(optimizers=[
    AdamW.Config(pattern=r"\\.bias$", weight_decay=0.0, fused=None),
    Adam.Config(pattern=".*", lr=1e-2, fused=None),
])
"""
    network = models.vit()
    conversion = converted(file(tmp_path, text, "config.py"), network)
    biases = {"lr": 8e-4, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.0}
    others = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
    configs = [(r"\.bias$", "AdamW", biases), (".*", "Adam", others)]
    expected, optimizers = torchtitan.groups(network, configs)
    assert_same(network, conversion.text, expected)
    report = grouper.check(network, grouper.parse(conversion.text))
    for group in report.grouping.groups:
        assert {optimizers[p.name] for p in group.parameters} == {group.optimizer}


# --- detectron2

DETECTRON2 = {
    "default": ({}, {"norm": 0.0}),
    "norm": ({"WEIGHT_DECAY_NORM": 0.5}, {"norm": 0.5}),
    "bias": (
        {"BIAS_LR_FACTOR": 2.0, "WEIGHT_DECAY_BIAS": 0.0, "WEIGHT_DECAY_NORM": 0.3},
        {"norm": 0.3, "bias_lr": 0.02 * 2.0, "bias_decay": 0.0},
    ),
    "bias_lr": ({"BIAS_LR_FACTOR": 2.0}, {"norm": 0.0, "bias_lr": 0.02 * 2.0}),
}


@pytest.mark.parametrize("model", ZOO)
@pytest.mark.parametrize("name", DETECTRON2)
def test_detectron2(name, model, tmp_path):
    solver, options = DETECTRON2[name]
    values = {"BASE_LR": 0.02, "STEPS": [6, 8], "MAX_ITER": 10, **solver}
    lines = "".join(f"  {key}: {value}\n" for key, value in values.items())
    network = ZOO[model]()
    conversion = converted(file(tmp_path, f"SOLVER:\n{lines}", "config.yaml"), network)
    base = {"lr": 0.02, "momentum": 0.9, "weight_decay": 1e-4}
    assert_same(network, conversion.text, detectron2.groups(network, base, **options))
    assert any("SOLVER.STEPS" in text for text in conversion.lost)


def test_detectron2_lazy(tmp_path):
    text = """
import torch
from detectron2.config import LazyCall as L
from detectron2.solver.build import get_default_optimizer_params
AdamW = L(torch.optim.AdamW)(
    params=L(get_default_optimizer_params)(
        base_lr="${..lr}", weight_decay_norm=0.0,
        overrides={"pos_embed": {"weight_decay": 0.0}, "weight": {"lr": 3e-4}, "gone": {"lr": 1}},
    ),
    lr=1e-4, betas=(0.9, 0.999), weight_decay=0.1,
)
"""
    text = text.replace('base_lr="${..lr}", ', "")
    network = models.vit()
    conversion = converted(file(tmp_path, text, "optim.py"), network)
    overrides = {"pos_embed": {"weight_decay": 0.0}, "weight": {"lr": 3e-4}}
    base = {"lr": 1e-4, "betas": (0.9, 0.999), "weight_decay": 0.1}
    expected = detectron2.groups(network, base, norm=0.0, overrides=overrides)
    assert_same(network, conversion.text, expected)
    assert "matches nothing, and detectron2 does not report it" in conversion.text


# --- axolotl

LR_GROUPS = [
    {"name": "o_proj", "modules": ["self_attn.o_proj.weight"], "lr": 1e-6},
    {"name": "q_proj", "modules": ["layers.1.self_attn.q_proj", "q_proj"], "lr": 1e-5},
    {"name": "attention", "modules": ["self_attn"], "lr": "3e-5"},
]
AXOLOTL = {
    "lr_groups": {"lr_groups": LR_GROUPS, "weight_decay": 0.01},
    "embedding_lr": {"embedding_lr": 1e-6, "weight_decay": 0.1},
    "embedding_scale": {"embedding_lr_scale": 0.5, "lr_groups": LR_GROUPS},
    "bert": {
        "lr_groups": [{"name": "enc", "modules": ["encoder.layer.1"], "lr": 1e-4}],
        "weight_decay": 0.1,
    },
}


@pytest.mark.parametrize("model", ["bert", "llama", "vit_tiny", "small"])
@pytest.mark.parametrize("name", AXOLOTL)
def test_axolotl(name, model, tmp_path):
    config = {"learning_rate": 2e-5, "optimizer": "adamw_torch", **AXOLOTL[name]}
    network = ZOO[model]()
    conversion = converted(file(tmp_path, config), network)
    expected = axolotl.groups(network, 2e-5, **AXOLOTL[name])
    assert_same(network, conversion.text, expected)


@pytest.mark.parametrize(
    "patterns",
    [
        ["^lm_head.weight$", "^model.embed_tokens.weight$[:32]", "layers.2[0-9]+.mlp"],
        ["model.layers.[12].+proj", "model.norm.weight$"],
        ["layers.0.mlp"],  # begins where no name begins
    ],
)
def test_axolotl_unfreezes(patterns, tmp_path):
    config = {"learning_rate": 1e-5, "optimizer": "adamw_torch", "unfrozen_parameters": patterns}
    network = models.llama()
    conversion = converted(file(tmp_path, config), network)
    names = axolotl.unfrozen(network, patterns)
    if not names:
        assert not conversion.report.ok or not conversion.report.grouping.groups
        return
    assert set(built(network, conversion.text)) == names
    rows = any("[:" in pattern for pattern in patterns)
    assert any("some rows only" in text for text in conversion.lost) == rows


@pytest.mark.parametrize("text", ["word_embeddings", "decoder.weight", "embeddings", "cls"])
def test_what_is_shared_and_frozen_is_named_by_all_of_its_names(text, tmp_path):
    config = {"name": "adamw", "lr": 1e-3, "disable_grad": [text], "param_groups": []}
    network = models.bert()
    conversion = converted(file(tmp_path, {"optimizer": config}), network)
    expected, frozen = llmfoundry.groups(network, config)
    shared = "bert.embeddings.word_embeddings.weight"
    assert (shared in frozen) == ("embeddings" in text)
    assert_same(network, conversion.text, expected)
    both = f'"{shared}" or "cls.predictions.decoder.weight" -> freeze'
    assert (both in conversion.text) == (shared in frozen)


def test_axolotl_says_what_its_groups_leave_out(tmp_path):
    config = {"learning_rate": 2e-5, "lr_groups": [{"name": "a", "modules": ["encoder"], "lr": 1}]}
    text = converted(file(tmp_path, config), models.bert()).text
    assert "biases and norms of the modules of `lr_groups` stay here" in text


def test_axolotl_refuses_loraplus(tmp_path):
    config = {"learning_rate": 2e-5, "lr_groups": LR_GROUPS, "loraplus_lr_ratio": 16}
    with pytest.raises(ValueError, match="throw `lr_groups`"):
        converted(file(tmp_path, config))


# --- kohya

KOHYA = {
    "documented": (r"single_blocks_(\d|10)_=1e-3,double_blocks=2e-3", {}),
    "first": (r"double=1e-3, double_blocks_1_=5e-3, .*te1.*=1e-6", {}),
    "zero": (r"double_blocks_[0-5]_=0,[^x]*linear1$=1e-4,broken,x=y", {"unet": 5e-4}),
    "encoders": ("attn=1e-3", {"encoders": (1e-5, 2e-5), "unet": 3e-4}),
    "plus": ("attn=1e-3", {"ratio": 16.0}),
}


@pytest.mark.parametrize("name", KOHYA)
def test_kohya(name, tmp_path):
    text, options = KOHYA[name]
    network = models.Lora()
    arguments = [f"network_reg_lrs={text}"]
    arguments += [f"loraplus_lr_ratio={options['ratio']}"] if "ratio" in options else []
    config = (
        f'learning_rate = 1e-4\noptimizer_type = "AdamW"\nnetwork_args = {json.dumps(arguments)}\n'
    )
    config += f"unet_lr = {options['unet']}\n" if "unet" in options else ""
    if "encoders" in options:
        config += f"text_encoder_lr = {list(options['encoders'])}\n"
    conversion = converted(file(tmp_path, config, "config.toml"), network)
    expected = kohya.groups(network, text, 1e-4, **options)
    assert_same(network, conversion.text, expected)


# --- a plain list


def test_a_list_of_groups(tmp_path):
    groups = [
        {"pattern": r"bn\d", "weight_decay": 0.0, "name": "norms"},
        {"params": ["fc.*"], "lr": 0.1},
        {"params": ["conv1.weight"], "freeze": True},
        {},
    ]
    config = {"optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9}, "param_groups": groups}
    network = models.resnet()
    conversion = converted(file(tmp_path, config), network)
    base = {"lr": 0.01, "momentum": 0.9}
    expected = {}
    for name, _ in network.named_parameters():
        norm = any(f"bn{digit}" in name for digit in range(10))
        own = {"weight_decay": 0.0} if norm else {"lr": 0.1} if name.startswith("fc.") else {}
        if name != "conv1.weight":
            expected[name] = {**base, **own}
    assert_same(network, conversion.text, expected)
    plain = [
        {
            "params": [p for n, p in network.named_parameters() if expected.get(n) == options],
            **options,
        }
        for options in ({**base, "weight_decay": 0.0}, {**base, "lr": 0.1}, base)
    ]
    theirs = settings(network, torch.optim.SGD(plain).param_groups)
    assert built(network, conversion.text) == theirs


def test_a_bare_list_has_no_optimizer(tmp_path):
    groups = [{"pattern": "fc", "lr": 0.1}, {"lr": 0.01}]
    conversion = converted(file(tmp_path, groups), models.resnet())
    report = conversion.report
    assert [g.options["lr"] for g in report.grouping.groups] == [0.1, 0.01]
