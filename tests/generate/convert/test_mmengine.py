"""mmengine's configurations against mmengine's own constructor, parameter by parameter."""

import logging
import pprint
import sys
import types

import pytest

pytest.importorskip("torch")
pytest.importorskip("yaml")
pytest.importorskip("mmengine")
pytest.importorskip("transformers")

from generate.convert.oracles import models
from generate.convert.oracles.compare import assert_same, built, converted, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.optim.optimizer import default_constructor

from grouper.generate.convert.mmengine_kinds import KINDS

ADAMW = {"type": "AdamW", "lr": 1e-4, "betas": (0.9, 0.999), "weight_decay": 0.05}
SGD = {"type": "SGD", "lr": 0.02, "momentum": 0.9, "weight_decay": 1e-4}
SWIN = {  # mmdetection's Swin, DETR and RTMDet, mmsegmentation's BEiT, mmpretrain's ViT
    "absolute_pos_embed": {"decay_mult": 0.0},
    "relative_position_bias_table": {"decay_mult": 0.0},
    "norm": {"decay_mult": 0.0},
}
DETR = {"backbone": {"lr_mult": 0.1, "decay_mult": 1.0}}
MASK2FORMER = {
    "backbone": {"lr_mult": 0.1, "decay_mult": 1.0},
    "query_embed": {"lr_mult": 1.0, "decay_mult": 0.0},
    "level_embed": {"lr_mult": 1.0, "decay_mult": 0.0},
}
RTMDET = {"norm_decay_mult": 0, "bias_decay_mult": 0, "bypass_duplicate": True}
VIT = {"custom_keys": {".cls_token": {"decay_mult": 0.0}, ".pos_embed": {"decay_mult": 0.0}}}
MODELS = {
    "resnet18": models.resnet,
    "vit_tiny": models.vit,
    "mobilenetv2": models.mobilenet,
    "convnext_atto": models.convnext,
    "bert": models.bert,
    "llama": models.llama,
    "yolov8n": models.yolo,
    "small": models.small,
}


def theirs(model, optimizer, paramwise):
    logging.disable(logging.CRITICAL)
    try:
        cfg = {"type": "OptimWrapper", "optimizer": dict(optimizer)}
        wrapper = DefaultOptimWrapperConstructor(cfg, paramwise)(model)
    finally:
        logging.disable(logging.NOTSET)
    return settings(model, wrapper.optimizer.param_groups)


def written(folder, optimizer, paramwise):
    path = folder / "config.py"
    path.write_text(
        f"optim_wrapper = dict(optimizer={pprint.pformat(optimizer)},"
        f" paramwise_cfg={pprint.pformat(paramwise, sort_dicts=False)})\n"
    )
    return path


CONFIGURATIONS = {
    "swin": (ADAMW, {"custom_keys": SWIN}),
    "detr": (ADAMW, {"custom_keys": DETR}),
    "mask2former": (ADAMW, {"custom_keys": MASK2FORMER, "norm_decay_mult": 0.0}),
    "rtmdet": (ADAMW, RTMDET),
    "vit": (ADAMW, VIT),
    "bias": (SGD, {"bias_lr_mult": 2.0, "bias_decay_mult": 0.0}),
    "bias_lr": (SGD, {"bias_lr_mult": 2.0}),
    "bias_lr_flat": (SGD, {"bias_lr_mult": 2.0, "flat_decay_mult": 0.5}),
    "flat": (SGD, {"flat_decay_mult": 0.0}),
    "depthwise": (SGD, {"dwconv_decay_mult": 0.1, "norm_decay_mult": 0.0}),
    "depthwise_bias": (SGD, {"dwconv_decay_mult": 0.1, "bias_lr_mult": 3.0}),
    "all": (
        SGD,
        {
            "bias_lr_mult": 2.0,
            "bias_decay_mult": 0.5,
            "norm_decay_mult": 0.25,
            "flat_decay_mult": 0.125,
            "dwconv_decay_mult": 0.75,
            "dcn_offset_lr_mult": 0.1,
            "custom_keys": {"layer1": {"lr_mult": 0.1}, "weight": {"decay_mult": 3.0}},
        },
    ),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_groups_are_mmengines(name, model, tmp_path):
    optimizer, paramwise = CONFIGURATIONS[name]
    network = MODELS[model]()
    given_twice = {**paramwise, "bypass_duplicate": True}  # without it tied models are refused
    conversion = converted(written(tmp_path, optimizer, given_twice), network)
    assert conversion.report.ok
    assert_same(network, conversion.text, theirs(network, optimizer, given_twice))


LIVE = {
    "keys": (
        ADAMW,
        {
            "custom_keys": {
                "backbone": {"lr_mult": 0.1},
                "backbone.norm": {"lr_mult": 0.1, "decay_mult": 0.0},
                ".cls_token": {"decay_mult": 0.0},
                "proj_bias": {"eps": 1e-6},
            },
            "norm_decay_mult": 0.5,
        },
    ),
    **{
        name: CONFIGURATIONS[name] for name in ("rtmdet", "bias", "bias_lr", "bias_lr_flat", "flat")
    },
}


@pytest.mark.parametrize("name", LIVE)
def test_without_the_model_they_are_the_same(name, tmp_path):
    """But for the biases of depthwise convolutions, and with an error for keys that are dead."""
    optimizer, paramwise = LIVE[name]
    network = models.small()
    conversion = converted(written(tmp_path, optimizer, paramwise))
    assert_same(network, conversion.text, theirs(network, optimizer, paramwise))


def test_without_the_model_it_says_what_only_a_model_tells(tmp_path):
    path = written(tmp_path, SGD, {"dwconv_decay_mult": 0.1})
    assert any("convert with --model" in text for text in converted(path).lost)
    assert converted(path, models.convnext()).lost == ()


KEYS = st.sampled_from(
    ["backbone", "backbone.norm", "norm", "norm2", "stem.weight", "bias", "weight", ".bias", ".cls",
     ".cls_token", "head", "o", "depthwise", "e.norm", "proj_bias", "in_proj_", "attention.out",
     ".", "nothing", "cls_token", "a"]
)  # fmt: skip
MULTIPLIERS = st.sampled_from([0.0, 0.1, 0.5, 1.0, 1.5])
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "lr_mult": MULTIPLIERS,
        "decay_mult": MULTIPLIERS,
        "momentum": st.just(0.5),
        "lr": st.just(0.7),
        "weight_decay": st.just(0.3),
    },
)
PARAMWISE = st.fixed_dictionaries(
    {"custom_keys": st.dictionaries(KEYS, ENTRIES, max_size=6)},
    optional=dict.fromkeys(KINDS, MULTIPLIERS),
)


@given(paramwise=PARAMWISE)
@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_keys_and_kinds(paramwise, tmp_path):
    network = models.small()
    conversion = converted(written(tmp_path, SGD, paramwise), network)
    assert_same(network, conversion.text, theirs(network, SGD, paramwise))


def test_a_shared_parameter_goes_where_its_first_name_does(tmp_path):
    """Bert's decoder is the word embedding; mmengine sees the embedding, a selector either."""
    paramwise = {
        "custom_keys": {"decoder.weight": {"lr_mult": 5.0}, "embeddings": {"lr_mult": 0.5}},
        "bypass_duplicate": True,
    }
    conversion = converted(written(tmp_path, ADAMW, paramwise), models.bert())
    ours = built(models.bert(), conversion.text)
    assert ours["bert.embeddings.word_embeddings.weight"]["lr"] == 1e-4 * 0.5
    assert_same(models.bert(), conversion.text, theirs(models.bert(), ADAMW, paramwise))


def test_a_model_that_mmengine_refuses_is_said(tmp_path):
    conversion = converted(written(tmp_path, ADAMW, {"norm_decay_mult": 0.0}), models.bert())
    assert any("mmengine refuses this model" in text for text in conversion.lost)
    with pytest.raises(ValueError, match="more than one parameter group"):
        theirs(models.bert(), ADAMW, {"norm_decay_mult": 0.0})


def test_what_mmengine_swallows_is_said_at_its_place(tmp_path):
    paramwise = {
        "custom_keys": {
            "head": {"decay_multi": 0.0, "lr_mult": 2.0},
            "backboen": {"lr_mult": 0.1},
        },
        "bias_decay": 0.0,
        "norm_decay_mult": 0.0,
    }
    text = converted(written(tmp_path, SGD, paramwise), models.small()).text
    lines = text.splitlines()
    assert "bias_decay` is not a setting of mmengine" in text
    place = next(i for i, line in enumerate(lines) if "*head*" in line)
    assert "decay_multi` has no effect" in " ".join(lines[place - 2 : place])
    place = next(i for i, line in enumerate(lines) if "*backboen*" in line)
    assert lines[place].lstrip().startswith("#")
    assert "matches nothing, and mmengine does not report it" in lines[place - 1]
    assert (
        "`in_proj_bias` and its like are left out"
        in converted(written(tmp_path, SGD, {"bias_lr_mult": 2.0}), models.small()).text
    )


@pytest.mark.parametrize(
    "paramwise",
    [
        {"dcn_offset_lr_mult": 0.1},
        {"dcn_offset_lr_mult": 0.1, "bias_lr_mult": 2.0, "bias_decay_mult": 0.0},
        {"bias_lr_mult": 2.0, "flat_decay_mult": 0.0},
        {"dcn_offset_lr_mult": 0.1, "custom_keys": {"0.conv_offset": {"lr_mult": 7.0}}},
    ],
)
def test_deformable_convolutions_where_mmcv_is(paramwise, tmp_path, monkeypatch):
    """mmcv's operators are not installed here; mmengine asks nothing of them but their classes."""
    operators = types.ModuleType("mmcv.ops")
    operators.DeformConv2d = models.DeformConv2d
    operators.ModulatedDeformConv2d = models.ModulatedDeformConv2d
    monkeypatch.setitem(sys.modules, "mmcv", types.ModuleType("mmcv"))
    monkeypatch.setitem(sys.modules, "mmcv.ops", operators)
    monkeypatch.setattr(default_constructor, "mmcv_full_available", lambda: True)
    network = models.deformable()
    expected = theirs(network, SGD, paramwise)
    assert len({options["lr"] for options in expected.values()}) > 1
    text = converted(written(tmp_path, SGD, paramwise), network).text
    assert_same(network, text, expected)
