"""Configurations whose groups are products: layer decay, SAM 2's options, big_vision's tables."""

import json
import math

import pytest

pytest.importorskip("torch")
pytest.importorskip("yaml")
pytest.importorskip("transformers")

from generate.convert.oracles import big_vision, layer_depth, models, sam2
from generate.convert.oracles.compare import assert_same, built, converted
from torch import nn

import grouper


def file(folder, text, name):
    path = folder / name
    path.write_text(text)
    return path


# --- OpenMMLab's layer decay

RATE = 0.75
PARAMWISE = {
    "layer_decay_rate": RATE,
    "norm_decay_mult": 0.0,
    "bias_decay_mult": 0.5,
    "flat_decay_mult": 0.25,
    "custom_keys": {
        ".ln": {"decay_mult": 0.1},
        ".cls_token": {"decay_mult": 0.0},
        ".pos_embed": {"decay_mult": 0.0},
        "head": {"lr_mult": 5.0, "decay_mult": 2.0},
    },
}


def openmmlab(folder, constructor, paramwise, backbone="dict(type='VisionTransformer')"):
    text = (
        f"model = dict(backbone={backbone})\n"
        "optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),\n"
        f"    constructor={constructor!r}, paramwise_cfg={paramwise!r})\n"
    )
    return file(folder, text, "config.py")


def mmpretrain(model, paramwise, depth_of, layers):
    decays = layer_depth.kinds(model, 0.05, paramwise)
    return {
        name: {"lr": 1e-3 * RATE ** (layers - depth_of(name) - 1), "weight_decay": decays[name]}
        for name, _ in model.named_parameters()
    }


@pytest.mark.parametrize("with_model", [True, False])
def test_mmpretrains_vit(with_model, tmp_path):
    network = models.open_mmlab("vit")
    path = openmmlab(tmp_path, "LearningRateDecayOptimWrapperConstructor", PARAMWISE)
    text = converted(path, network if with_model else None).text
    blocks = len(network.backbone.layers)

    def depth(name):
        return layer_depth.vit_depth(name, blocks)

    assert_same(network, text, mmpretrain(network, PARAMWISE, depth, blocks + 2))
    assert "custom_keys.head.lr_mult` does nothing" in text


@pytest.mark.parametrize("arch", ["'tiny'", "dict(embed_dims=4, depths=[2, 2, 6, 2])"])
@pytest.mark.parametrize("with_model", [True, False])
def test_mmpretrains_swin(arch, with_model, tmp_path):
    network = models.open_mmlab("swin")
    keys = {"head": {"decay_mult": 2.0}, "downsample": {"decay_mult": 0.3}}
    paramwise = {**PARAMWISE, "custom_keys": keys}
    path = openmmlab(
        tmp_path,
        "LearningRateDecayOptimWrapperConstructor",
        paramwise,
        f"dict(type='SwinTransformer', arch={arch})",
    )
    depths = models.SWIN_DEPTHS

    def depth(name):
        return layer_depth.swin_depth(name, depths)

    expected = mmpretrain(network, paramwise, depth, sum(depths) + 2)
    assert_same(network, converted(path, network if with_model else None).text, expected)


@pytest.mark.parametrize("kind", ["layer_wise", "stage_wise"])
def test_mmdetections_convnext(kind, tmp_path):
    paramwise = {"num_layers": 6, "decay_rate": 0.7, "decay_type": kind, "norm_decay_mult": 0.0}
    path = openmmlab(tmp_path, "LearningRateDecayOptimizerConstructor", paramwise)
    network = models.open_mmlab("convnext")
    number = layer_depth.convnext_layer if kind == "layer_wise" else layer_depth.convnext_stage
    expected = {
        name: {
            "lr": 0.7 ** (6 + 2 - number(name, 6) - 1) * 1e-3,
            "weight_decay": 0.0 if p.ndim == 1 or name.endswith(".bias") else 0.05,
        }
        for name, p in network.named_parameters()
    }
    conversion = converted(path, network)
    assert_same(network, conversion.text, expected)
    assert "norm_decay_mult` does nothing in this constructor" in conversion.text


def test_a_constructor_that_nobody_knows_is_refused(tmp_path):
    path = openmmlab(tmp_path, "CustomLayerDecayOptimizerConstructor", {})
    with pytest.raises(ValueError, match="known here are `DefaultOptimWrapperConstructor`"):
        converted(path)


# --- SAM 2

MOSE = """
scratch:
  base_lr: 5.0e-6
  vision_lr: 3.0e-06
trainer:
  optim:
    amp: {enabled: true}
    optimizer:
      _target_: torch.optim.AdamW
    gradient_clip: {max_norm: 0.1}
    param_group_modifiers:
      - _target_: training.optimizer.layer_decay_param_modifier
        _partial_: True
        layer_decay_value: 0.9
        apply_to: 'image_encoder.trunk'
        LEAST
        overrides:
          - pattern: '*pos_embed*'
            value: 1.0
    options:
      lr:
        - scheduler:
            _target_: fvcore.common.param_scheduler.CosineParamScheduler
            start_value: ${scratch.base_lr}
            end_value: ${divide:${scratch.base_lr},10}
        - scheduler:
            _target_: fvcore.common.param_scheduler.CosineParamScheduler
            start_value: ${scratch.vision_lr}
            end_value: ${divide:${scratch.vision_lr},10}
          param_names:
            - 'image_encoder.*'
      weight_decay:
        - scheduler:
            _target_: fvcore.common.param_scheduler.ConstantParamScheduler
            value: 0.1
        - scheduler:
            _target_: fvcore.common.param_scheduler.ConstantParamScheduler
            value: 0.0
          param_names:
            - '*bias*'
          module_cls_names: ['torch.nn.LayerNorm']
"""
LR = [(5e-6, None, None), (3e-6, ["image_encoder.*"], None)]


@pytest.mark.parametrize("least", [None, 0.8])
def test_sam2s_mose_recipe(least, tmp_path):
    """A norm's bias is taken by its name and by its class, in one entry: that is no overlap."""
    network = models.Hiera()
    text = MOSE.replace("LEAST", f"layer_decay_min: {least}" if least else "")
    conversion = converted(file(tmp_path, text, "mose.yaml"), network)
    decays = [(0.1, None, None), (0.0, ["*bias*"], [nn.LayerNorm])]
    decay = (0.9, "image_encoder.trunk", least, [("*pos_embed*", 1.0)])
    expected = sam2.groups(network, {"lr": LR, "weight_decay": decays}, decay)
    assert expected["decoder.1.weight"]["weight_decay"] == 0.1  # LayerNorm2d derives from LayerNorm
    assert_same(network, conversion.text, expected)
    assert any("gradient_clip" in text for text in conversion.lost)


@pytest.mark.parametrize("where", [0.0, 0.3, 0.7])
def test_sam2s_rates_over_the_run(where, tmp_path):
    network = models.Hiera()
    conversion = converted(file(tmp_path, MOSE.replace("LEAST", ""), "mose.yaml"), network)
    rules = grouper.parse(conversion.text)
    plan = grouper.plan(network, rules, steps_per_epoch=10, epochs=10)
    rates = plan.at(int(where * 100))
    for group in grouper.check(network, rules).grouping.groups:
        start = group.options["lr"]
        end = start / 10
        cosine = end + (start - end) * (1 + math.cos(math.pi * where)) / 2
        assert rates[group.name]["lr"] == pytest.approx(cosine, rel=1e-9)


def test_sam2_without_a_model_warns_of_exact_classes(tmp_path):
    text = converted(file(tmp_path, MOSE.replace("LEAST", ""), "mose.yaml")).text
    assert "takes `torch.nn.LayerNorm` alone, not what derives from it" in text


def test_sam2_stops_at_overlaps_as_rules_do(tmp_path):
    text = MOSE.replace("LEAST", "").replace("'*bias*'", "'*bias*'\n            - 'decoder.*'")
    text = text.replace(
        "      weight_decay:\n",
        "      weight_decay:\n"
        "        - scheduler: {_target_: x.ConstantParamScheduler, value: 0.3}\n"
        "          param_names: ['decoder.0.*']\n",
    )
    network = models.Hiera()
    conversion = converted(file(tmp_path, text, "sam.yaml"), network)
    assert any("sam2 stops at that" in said for said in conversion.lost)
    assert not conversion.report.ok


# --- big_vision

BIG_VISION = """
import ml_collections as mlc

def get_config(arg=None):
  config = mlc.ConfigDict()
  config.total_epochs = 20
  config.optax_name = 'scale_by_adam'
  config.optax = dict(b2=0.95)
  config.lr = 1e-3
  config.wd = 1e-4
  config.lr_mults = LR
  config.wd_mults = WD
  config.schedule = SCHEDULE
  return config
"""
TABLES = {
    "siglip": (
        [("blocks/.*", 0.1), (".*", 1.0)],
        [(".*/kernel$", 1.0)],
        [(".*", {"decay_type": "cosine"})],
    ),
    "frozen": (
        [("head/.*", 3.0)],
        [(".*norm.*", 0.5), (".*/(kernel|bias)", 2.0)],
        [("patch_embed/.*", None), ("blocks/[01]/.*", None), (".*", {})],
    ),
    "scales": (
        [(".*/scale", 0.3)],
        [("head/kernel", 4.0)],
        [("(cls|pos).*", None), ("[^c].*", {})],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_big_vision(name, tmp_path):
    rates, decays, schedule = TABLES[name]
    text = BIG_VISION.replace("LR", repr(rates)).replace("WD", repr(decays))
    network = models.vit()
    path = file(tmp_path, text.replace("SCHEDULE", repr(schedule)), "config.py")
    conversion = converted(path, network)
    expected, frozen = big_vision.groups(network, 1e-3, 1e-4, rates, decays, schedule)
    ours = built(network, conversion.text)
    assert set(ours) == set(expected)
    assert set(ours).isdisjoint(frozen)
    for parameter, (rate, decay) in expected.items():
        assert ours[parameter]["lr"] == pytest.approx(rate, rel=1e-12)
        stepped = ours[parameter]["lr"] * ours[parameter]["weight_decay"]
        assert stepped == pytest.approx(decay, rel=1e-12), parameter
        assert ours[parameter]["betas"] == (0.9, 0.95)


def test_big_vision_decays_kernels_where_nothing_is_said(tmp_path):
    config = {"lr": 0.01, "wd": 1e-4, "lr_mults": [["head/.*", 2.0]], "optax_name": "scale_by_adam"}
    network = models.vit()
    conversion = converted(file(tmp_path, json.dumps(config), "config.json"), network)
    expected, _ = big_vision.groups(network, 0.01, 1e-4, config["lr_mults"])
    ours = built(network, conversion.text)
    for name, (_, decay) in expected.items():
        assert ours[name]["lr"] * ours[name]["weight_decay"] == pytest.approx(decay, rel=1e-12)


def test_big_vision_refuses_a_rate_of_nothing(tmp_path):
    config = {"lr": 0.01, "lr_mults": [["head/.*", 0]], "optax_name": "scale_by_adam"}
    with pytest.raises(ValueError, match="freeze with `schedule`"):
        converted(file(tmp_path, json.dumps(config), "config.json"))
