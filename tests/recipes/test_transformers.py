"""Recipes for language models against transformers, peft, and what their authors published."""

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from support.torchvision_stub import define_operators  # noqa: E402

define_operators()
transformers = pytest.importorskip("transformers")

from support import transformers_models  # noqa: E402
from support.recipe_cases import options_of, oracle_options, same_from_snapshot  # noqa: E402
from transformers import Trainer  # noqa: E402

import grouper  # noqa: E402

SMALL = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 50}
ENCODERS = {
    "BertForSequenceClassification": SMALL | {"num_hidden_layers": 3},
    "RobertaForTokenClassification": SMALL | {"num_hidden_layers": 2},
    "ElectraForSequenceClassification": SMALL | {"num_hidden_layers": 4, "embedding_size": 8},
    "DistilBertForSequenceClassification": {
        "dim": 16, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50, "n_layers": 3,
    },
    "DebertaV2ForSequenceClassification": SMALL | {"num_hidden_layers": 2},
}  # fmt: skip
DECODERS = {
    "GPT2LMHeadModel": {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50},
    "LlamaForCausalLM": SMALL | {"num_hidden_layers": 2, "num_key_value_heads": 1},
    "Qwen2ForCausalLM": SMALL
    | {"num_hidden_layers": 2, "num_key_value_heads": 1, "tie_word_embeddings": True},
    "MixtralForCausalLM": SMALL
    | {"num_hidden_layers": 2, "num_key_value_heads": 1, "num_local_experts": 2},
}
OTHERS = {
    "ViTForImageClassification": {
        "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32,
        "num_hidden_layers": 2, "image_size": 32, "patch_size": 8,
    },
    "T5ForConditionalGeneration": {
        "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2, "vocab_size": 50,
    },
    "RobertaPreLayerNormModel": SMALL | {"num_hidden_layers": 2},
    "MambaForCausalLM": {"hidden_size": 16, "num_hidden_layers": 2, "vocab_size": 50},
    "ResNetModel": {"embedding_size": 8, "hidden_sizes": [8, 8], "depths": [1, 1]},
}  # fmt: skip
ALL = ENCODERS | DECODERS | OTHERS


def model(name):
    cls = getattr(transformers, name)
    with torch.device("meta"):
        return cls(cls.config_class(**ALL[name]))


@pytest.mark.parametrize("name", ALL)
def test_decay_is_spread_as_the_trainer_spreads_it(name):
    net = model(name)
    decayed = Trainer.get_decay_parameter_names(None, net)
    rules = grouper.load("transformers-no-decay")
    assert options_of(net, rules, "weight_decay") == {
        name: (0.01 if name in decayed else 0,) for name, _ in net.named_parameters()
    }
    assert same_from_snapshot(net, rules)


@pytest.mark.parametrize("name", ENCODERS)
def test_layer_decay_of_encoders(name):
    """ELECTRA's depths (`_get_layer_lrs`): embeddings 0, a layer its number from 1, the task
    behind them; each at the decay to the power of what is left above it."""
    net = model(name)
    layers = 1 + max(
        int(m) for n, _ in net.named_parameters() for m in re.findall(r"layer\.(\d+)", n)
    )

    def lr(name):
        layer = re.search(r"\.layer\.(\d+)\.", name)
        depth = int(layer[1]) + 1 if layer else 0 if "embeddings" in name else layers + 1
        return 2e-5 * 0.9 ** (layers + 1 - depth)

    rules = grouper.load("bert-layer-decay")
    spared = re.compile(r"LayerNorm|layer_norm|norm\.|bias")  # ELECTRA's, with DistilBERT's names
    assert options_of(net, rules, "lr", "weight_decay") == {
        name: (lr(name), 0 if spared.search(name) else 0.01) for name, _ in net.named_parameters()
    }
    assert same_from_snapshot(net, rules)


@pytest.mark.parametrize("name", ENCODERS)
def test_ulmfit_unfreezes_from_the_top(name):
    """The paper's equation 3, for each group from the epoch in which it opens; a 2.6th a layer."""
    net = model(name)
    epochs, nb = 10, 20
    plan = grouper.plan(net, grouper.load("ulmfit"), steps_per_epoch=nb, epochs=epochs)
    groups = {group.name: group for group in plan.groups}
    layers = sum(name.startswith("layer") for name in groups)
    order = ["head", *(f"layer{i}" for i in reversed(range(layers))), "embeddings"]
    assert set(order) == set(groups)
    for below, group in enumerate(order):
        for step in range(epochs * nb):
            t, total, cut = step - below * nb, (epochs - below) * nb, round(0.1 * epochs * nb)
            p = t / cut if t < cut else 1 - (t - cut) / (total - cut)
            triangle = 0.01 / 2.6**below * (1 + p * (32 - 1)) / 32
            expected = triangle if t >= 0 else 0
            assert plan.group_at(groups[group], step)["lr"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [*DECODERS, "ViTForImageClassification"])
def test_muon_takes_the_matrices_of_the_blocks(name):
    """The reference recipe: matrices of the body, without embeddings and heads. torch's class
    refuses stacked experts, which have three dimensions."""
    net = model(name)
    body = (net.model if hasattr(net, "model") else net.base_model).named_parameters()
    body = {id(p) for n, p in body if p.ndim == 2 and not re.search(r"embed|wte|wpe", n)}
    rules = grouper.load("muon")
    got = options_of(net, rules, "optimizer")
    assert got == {
        name: ("hidden" if id(p) in body else "AdamW",) for name, p in net.named_parameters()
    }
    assert {by for (by,) in got.values()} == {"hidden", "AdamW"}
    assert same_from_snapshot(net, rules)


@pytest.mark.parametrize("name", DECODERS)
def test_nanogpt_has_two_groups(name):
    net = model(name)
    named = {n: p for n, p in net.named_parameters() if p.requires_grad}
    groups = [
        {"params": [p for p in named.values() if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in named.values() if p.dim() < 2], "weight_decay": 0.0},
    ]
    got = options_of(net, grouper.load("gpt"), "weight_decay", "lr", "betas")
    assert got == {
        n: (*o, 6e-4, (0.9, 0.95)) for n, o in oracle_options(net, groups, "weight_decay").items()
    }


def adapted(base, **config):
    peft = pytest.importorskip("peft")
    cls = getattr(transformers, base)
    return peft.get_peft_model(cls(cls.config_class(**ALL[base])), peft.LoraConfig(r=2, **config))


ADAPTERS = {
    "LoRA": ("LlamaForCausalLM", {"target_modules": ["q_proj", "v_proj"]}),
    "rsLoRA": ("LlamaForCausalLM", {"target_modules": "all-linear", "use_rslora": True}),
    "DoRA": ("Qwen2ForCausalLM", {"target_modules": ["q_proj"], "use_dora": True}),
    "biases": ("Qwen2ForCausalLM", {"target_modules": ["q_proj"], "bias": "all"}),
    "embeddings": ("LlamaForCausalLM", {"target_modules": ["q_proj", "embed_tokens"]}),
    "GPT-2": ("GPT2LMHeadModel", {"target_modules": ["c_attn"], "fan_in_fan_out": True}),
    "a new head": (
        "BertForSequenceClassification",
        {"target_modules": ["query"], "modules_to_save": ["classifier"]},
    ),
}


@pytest.mark.parametrize("case", ADAPTERS)
@pytest.mark.parametrize("decay", [0, 0.1])
def test_lora_plus_has_the_groups_of_peft(case, decay):
    from peft.optimizers import create_loraplus_optimizer

    base, config = ADAPTERS[case]
    net = adapted(base, **config)
    oracle = create_loraplus_optimizer(
        net, torch.optim.AdamW, lr=2e-4, loraplus_lr_ratio=16, loraplus_weight_decay=decay
    )
    rules = grouper.load("lora-plus", decay=decay)
    keys = ("lr", "weight_decay")
    assert options_of(net, rules, *keys) == oracle_options(net, oracle.param_groups, *keys)


@pytest.mark.parametrize("case", ADAPTERS)
def test_lora_trains_what_peft_trains(case):
    base, config = ADAPTERS[case]
    net = adapted(base, **config)
    rules = grouper.load("lora")
    got = options_of(net, rules, "group")
    assert set(got) == {name for name, p in net.named_parameters() if p.requires_grad}
    assert all((group == "adapter") == ("lora_" in name) for name, (group,) in got.items())
    assert same_from_snapshot(net, rules)


PAGE = Path(__file__).parents[2] / "docs" / "transformers-norms.md"
ROW = re.compile(r"^\| `([^`]+)` \| (.*) \| (.*) \|$", re.MULTILINE)


def row_of(names, norms):
    shown = ", ".join(f"`{name}`" for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return shown + more, "; ".join(f"`{cls}`: `{name}`" for cls, name in norms.items())


@pytest.mark.parametrize("name", ["MambaModel", "PixtralVisionModel", "ResNetModel"])
def test_the_page_tells_which_norms_decay(name):
    net = transformers_models.built(name)
    rows = {kind: norms for kind, _, norms in ROW.findall(PAGE.read_text("utf-8"))}
    for cls, example in transformers_models.decayed_norms(net).items():
        assert f"`{cls}`: `" in rows[net.config.model_type]
        decayed = grouper.check(net, "transformers-no-decay").grouping
        assert any(
            p.name == example for g in decayed.groups if g.called("decay") for p in g.parameters
        )


@pytest.mark.nightly
def test_the_page_of_norms_is_that_of_all_classes():
    names, norms, tried, classes = {}, {}, 0, 0
    for name in transformers_models.names():
        net = transformers_models.built(name)
        if net is None:
            continue
        tried += 1
        found = transformers_models.decayed_norms(net)
        if found:
            classes += 1
            names.setdefault(net.config.model_type, []).append(name)
            known = norms.setdefault(net.config.model_type, {})
            known |= {cls: example for cls, example in found.items() if cls not in known}
    page = PAGE.read_text("utf-8")
    assert f"Of the {tried:,} classes" in page
    assert f"{classes} have norms" in page
    wanted = [(kind, *row_of(names[kind], norms[kind])) for kind in sorted(names)]
    assert ROW.findall(page) == wanted
