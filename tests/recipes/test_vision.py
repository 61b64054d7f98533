"""Recipes for detectors, vision-language models and heads, against what their own code does."""

import re

import pytest

torch = pytest.importorskip("torch")

from support.recipe_cases import options_of, same_from_snapshot  # noqa: E402
from support.torchvision_stub import define_operators  # noqa: E402
from torch import nn  # noqa: E402

define_operators()

import grouper  # noqa: E402

transformers = pytest.importorskip("transformers")
RESNET = {"embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1]}
TEXT = {
    "hidden_size": 16, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 32,
    "vocab_size": 60, "num_hidden_layers": 2,
}  # fmt: skip
TOWER = {
    "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "num_hidden_layers": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip


def detr(name="Detr"):
    config = getattr(transformers, f"{name}Config")(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone_config=transformers.ResNetConfig(
            **RESNET, layer_type="basic", out_features=["stage4"]
        ),
        d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
    )  # fmt: skip
    return getattr(transformers, f"{name}ForObjectDetection")(config)


def facebook_detr():
    """DETR with the names of its own repository: a torchvision body under `backbone.0.body`."""
    torchvision = pytest.importorskip("torchvision")
    body = torchvision.models.resnet18(norm_layer=torchvision.ops.FrozenBatchNorm2d)
    del body.fc
    backbone = nn.Module()
    backbone.body = body
    whole = nn.Module()
    whole.transformer = nn.Transformer(16, 2, 1, 1, 32)
    whole.class_embed = nn.Linear(16, 5)
    whole.backbone = nn.Sequential(backbone)
    return whole


@pytest.mark.parametrize("build", [detr, lambda: detr("ConditionalDetr"), facebook_detr])
def test_detr_trains_as_its_main(build):
    """Its `main.py` has two groups by `"backbone" in name`, its `backbone.py` freezes all but
    `layer2` to `layer4`. transformers 5 freezes the whole of a backbone of its own: it looks for
    `stage.1`, and the name is `stages.1`. Here DETR's own freezing counts."""
    net = build().requires_grad_(True)
    rules = grouper.load("detr")
    trained = re.compile(r"layer[234]|stages\.[123]\.")
    expected = {
        name: (1e-5 if "backbone" in name else 1e-4, 1e-4)
        for name, p in net.named_parameters()
        if p.requires_grad and ("backbone" not in name or trained.search(name))
    }
    assert options_of(net, rules, "lr", "weight_decay") == expected
    assert len({lr for lr, _ in expected.values()}) == 2
    assert same_from_snapshot(net, rules)


def detector():
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    return torchvision.models.detection.retinanet_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=3
    )


NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("decay", [1e-4, 0])
@pytest.mark.parametrize(
    "build",
    [detector, lambda: nn.Transformer(16, 2, 1, 1, 32), lambda: nn.Linear(3, 2)],
)
def test_factors_are_those_of_detectron2(build, factor, decay):
    """`get_default_optimizer_params`: a norm's decay by class, then what is named `bias`."""
    net = build()
    expected = {}
    for path, module in net.named_modules():
        for name, p in module.named_parameters(recurse=False):
            lr, weight_decay = 0.02, 0 if isinstance(module, NORMS) else 1e-4
            if name == "bias":
                lr, weight_decay = 0.02 * factor, decay
            if p.requires_grad:
                expected[f"{path}.{name}" if path else name] = (lr, weight_decay)
    rules = grouper.load("detectron2-style", bias_lr_factor=factor, weight_decay_bias=decay)
    assert options_of(net, rules, "lr", "weight_decay") == expected


def sam():
    """SAM 2's layout, with a trunk of timm's port of it."""
    from support.timm_models import built

    net = nn.Module()
    net.image_encoder = nn.Module()
    net.image_encoder.trunk = built("sam2_hiera_tiny")
    del net.image_encoder.trunk.head
    net.image_encoder.neck = nn.Conv2d(8, 8, 1, device="meta")
    net.memory_attention = nn.TransformerEncoderLayer(8, 2, device="meta")
    return net


def test_sam2_is_the_yaml_of_its_fine_tuning():
    """Layer numbers of its trunk (`get_layer_id`), decay to the power of what is above them, and 1
    for `*pos_embed*`; no decay for `*bias*` and for parameters of `LayerNorm`s themselves, which
    are timm's in this trunk."""
    net = sam()
    blocks = len(net.image_encoder.trunk.blocks)
    norms = {f"{path}.{n}" for path, m in net.named_modules() if isinstance(m, nn.LayerNorm)
             for n, _ in m.named_parameters()}  # fmt: skip

    def lr(name):
        if not name.startswith("image_encoder"):
            return 5e-6
        layer = re.search(r"trunk\.blocks\.(\d+)\.", name)
        depth = int(layer[1]) + 1 if layer else 0 if "patch_embed" in name else blocks + 1
        return 3e-6 * 0.9 ** (blocks + 1 - (blocks + 1 if "pos_embed" in name else depth))

    rules = grouper.load("sam2")
    assert options_of(net, rules, "lr", "weight_decay") == {
        name: (lr(name), 0 if "bias" in name or name in norms else 0.1)
        for name, _ in net.named_parameters()
    }
    plan = grouper.plan(net, rules, steps_per_epoch=10, epochs=4)
    group = plan.groups[0]
    assert plan.group_at(group, 40)["lr"] == pytest.approx(group.lr / 10, rel=1e-12)


def vlm(name):
    made = {
        "Llava": lambda: transformers.LlavaConfig(
            vision_config=transformers.CLIPVisionConfig(**TOWER),
            text_config=transformers.LlamaConfig(**TEXT),
        ),
        "PaliGemma": lambda: transformers.PaliGemmaConfig(
            vision_config=transformers.SiglipVisionConfig(**TOWER).to_dict(),
            text_config=transformers.GemmaConfig(**TEXT, head_dim=8).to_dict(),
            projection_dim=16,
        ),
        "Qwen2VL": lambda: transformers.Qwen2VLConfig(
            vision_config={"depth": 2, "embed_dim": 16, "num_heads": 2, "hidden_size": 16},
            text_config=TEXT,
        ),
        "Idefics3": lambda: transformers.Idefics3Config(
            vision_config=TOWER, text_config=transformers.LlamaConfig(**TEXT, pad_token_id=0)
        ),
    }
    config = made[name]()
    with torch.device("meta"):
        return getattr(transformers, f"{name}ForConditionalGeneration")(config)


@pytest.mark.parametrize("name", ["Llava", "PaliGemma", "Qwen2VL", "Idefics3"])
def test_parts_of_vision_language_models(name):
    """The parts by the modules themselves, not by the file's names."""
    net = vlm(name)
    inner = net.model
    projector = {
        "Llava": lambda: inner.multi_modal_projector,
        "PaliGemma": lambda: inner.multi_modal_projector,
        "Qwen2VL": lambda: inner.visual.merger,
        "Idefics3": lambda: inner.connector,
    }[name]()
    tower = {"Qwen2VL": "visual", "Idefics3": "vision_model"}.get(name, "vision_tower")
    rates = {id(p): 2e-5 for p in net.parameters()}
    rates |= {id(p): 2e-6 for p in getattr(inner, tower).parameters()}
    rates |= {id(p): 1e-4 for p in projector.parameters()}
    rules = grouper.load("vlm")
    got = options_of(net, rules, "lr")
    assert got == {name: (rates[id(p)],) for name, p in net.named_parameters()}
    assert len(set(got.values())) == 3
    assert same_from_snapshot(net, rules)


def classifier():
    config = transformers.BertConfig(**{k: v for k, v in TEXT.items() if "key_value" not in k})
    return transformers.BertForSequenceClassification(config)


def torchvision_model():
    return pytest.importorskip("torchvision").models.resnet18(weights=None)


def timm_model(name):
    from support.timm_models import timm

    return timm.create_model(name)


@pytest.mark.parametrize(
    ("build", "head"),
    [
        (lambda: timm_model("resnet18"), "fc."),
        (lambda: timm_model("test_vit"), "head."),
        (lambda: timm_model("deit_tiny_distilled_patch16_224"), ("head.", "head_dist.")),
        (classifier, "classifier."),
        (torchvision_model, "fc."),
    ],
)
def test_a_linear_probe_trains_the_head_alone(build, head):
    net = build()
    optimizer = grouper.build_optimizer(net, "linear-probe")
    trained = {name for name, p in net.named_parameters() if p.requires_grad}
    assert trained == {name for name, _ in net.named_parameters() if name.startswith(head)}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(trained)


@pytest.mark.parametrize(
    ("build", "below"),
    [
        (detr, "model.backbone."),
        (detector, "backbone."),
        (lambda: vlm("Llava"), "model.vision_tower."),
    ],
)
def test_a_frozen_backbone_does_not_train(build, below):
    net = build()
    before = {name for name, p in net.named_parameters() if p.requires_grad}
    grouper.param_groups(net, "freeze-backbone")
    assert {n for n, p in net.named_parameters() if p.requires_grad} == {
        n for n in before if not n.startswith(below)
    }
