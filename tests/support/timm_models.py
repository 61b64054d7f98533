"""timm's architectures, built where tensors take no memory, and the family that each belongs to."""

from __future__ import annotations

import pytest
import torch
from support.torchvision_stub import define_operators

define_operators()

timm = pytest.importorskip("timm")
from timm.models import list_models  # noqa: E402

# {rules file: timm's own files whose architectures it is for}
FAMILIES = {
    "vit": "vision_transformer deit beit eva mlp_mixer hiera hieradet_sam2 naflexvit"
    " convit convmixer vision_transformer_hybrid"
    " vision_transformer_relpos vision_transformer_sam vitamin",
    "swin": "swin_transformer swin_transformer_v2 focalnet",
    "convnext": "convnext resnetv2 davit levit edgenext fastvit hgnet repvit"
    " inception_next mambaout nextvit vovnet efficientvit_mit swin_transformer_v2_cr",
    "resnet": "resnet res2net resnest sknet",
    "efficientnet": "efficientnet ghostnet repghost",
    "mobilenet": "mobilenetv3 hardcorenas",
    "regnet": "regnet",
    "nfnet": "nfnet byobnet byoanet mobilevit lowformer lcnetv2",
    "maxvit": "maxxvit mvitv2 pvt_v2 gcvit efficientformer efficientformer_v2 cpubone",
    "xcit": "xcit",
}
SPREAD = (
    ("vit", "vit_tiny_patch16_224"),
    ("vit", "vit_base_patch16_siglip_224"),  # no head but its pooling
    ("vit", "deit_tiny_distilled_patch16_224"),
    ("vit", "beit_base_patch16_224"),
    ("vit", "eva02_tiny_patch14_224"),
    ("vit", "mixer_s32_224"),
    ("swin", "swin_tiny_patch4_window7_224"),
    ("swin", "focalnet_tiny_srf"),
    ("convnext", "convnext_atto"),
    ("convnext", "resnetv2_50"),
    ("convnext", "edgenext_xx_small"),
    ("convnext", "fastvit_ma36"),
    ("resnet", "resnet18"),
    ("resnet", "resnetrs50"),
    ("efficientnet", "efficientnet_b0"),
    ("mobilenet", "mobilenetv3_small_100"),
    ("regnet", "regnety_002"),
    ("nfnet", "nfnet_l0"),
    ("nfnet", "repvgg_a0"),
    ("maxvit", "maxvit_pico_rw_256"),
    ("maxvit", "pvt_v2_b0"),
    ("xcit", "xcit_nano_12_p16_224"),
)


def architectures(modules):
    """The names of all architectures of some of timm's files."""
    return [name for module in modules.split() for name in list_models(module=module)]


def built(name):
    """A model without memory; None for the few whose layers cannot be made there."""
    try:
        with torch.device("meta"):
            return timm.create_model(name)
    except (NotImplementedError, RuntimeError):
        return None


def listed(model, whole=True):
    """What a model spares from decay, as timm's patterns: its own list, and those of its parts."""
    patterns = set()
    for path, module in model.named_modules():
        if hasattr(module, "no_weight_decay") and (whole or not path):
            prefix = f"{path}." if path else ""
            patterns |= {prefix + name for name in module.no_weight_decay()}
    return patterns
