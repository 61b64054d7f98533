"""Models that people train, built from their configurations and never downloaded."""

from functools import cache

import torch
from support.torchvision_stub import define_operators

define_operators()  # before anything imports torchvision

import timm  # noqa: E402
import transformers  # noqa: E402
from torch import nn  # noqa: E402


@cache
def resnet():
    return timm.create_model("resnet18", pretrained=False)


@cache
def vit():
    return timm.create_model("vit_tiny_patch16_224", pretrained=False)


@cache
def mobilenet():
    """Depthwise convolutions."""
    return timm.create_model("mobilenetv2_035", pretrained=False)


@cache
def convnext():
    """Depthwise convolutions with biases."""
    return timm.create_model("convnext_atto", pretrained=False)


@cache
def bert():
    """Its output embedding is tied to its input's."""
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    return transformers.BertForMaskedLM(config)


@cache
def llama(tied=False):
    config = transformers.LlamaConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, num_key_value_heads=2,
        intermediate_size=32, vocab_size=64, tie_word_embeddings=tied,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


class Small(nn.Module):
    """A bit of everything: own parameters, norms, attention, depthwise convolutions, frozen."""

    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 4))
        self.bias = nn.Parameter(torch.zeros(4))
        self.backbone = nn.Sequential()
        self.backbone.add_module("stem", nn.Conv2d(1, 4, 3))
        self.backbone.add_module("norm", nn.GroupNorm(2, 4))
        self.backbone.add_module("depthwise", nn.Conv2d(4, 4, 3, groups=4))
        self.backbone.add_module("norm2", nn.LayerNorm((4, 2)))
        self.attention = nn.MultiheadAttention(4, 2)
        self.head = nn.Linear(4, 3)
        self.frozen = nn.Linear(2, 2)
        self.frozen.requires_grad_(False)


@cache
def small():
    return Small()


@cache
def yolo():
    from support.ultralytics_models import built

    return built("v8/yolov8.yaml")


class Holder(nn.Module):
    """A backbone and a head, as OpenMMLab's models have them."""

    def __init__(self, backbone, classes=5):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(8, classes)


class Hiera(nn.Module):
    """SAM 2 in miniature: an encoder whose trunk counts layers, a neck, and a decoder."""

    def __init__(self, blocks=4):
        super().__init__()
        self.image_encoder = nn.Module()
        trunk = self.image_encoder.trunk = nn.Module()
        trunk.pos_embed = nn.Parameter(torch.zeros(1, 4, 4))
        trunk.patch_embed = nn.Conv2d(3, 4, 2)
        trunk.blocks = nn.ModuleList(
            timm.models.vision_transformer.Block(4, 2) for _ in range(blocks)
        )
        trunk.blocks[1].attn.rel_pos_h = nn.Parameter(torch.zeros(3, 2))
        self.image_encoder.neck = nn.Conv2d(4, 4, 1)
        self.decoder = nn.Sequential(nn.Linear(4, 4), timm.layers.LayerNorm2d(4), nn.LayerNorm(4))


class Lora(nn.Module):
    """LoRA modules as sd-scripts names them, without dots."""

    def __init__(self):
        super().__init__()
        blocks = [f"lora_unet_double_blocks_{i}_img_attn_proj" for i in range(12)]
        blocks += [f"lora_unet_single_blocks_{i}_linear1" for i in range(12)]
        encoders = ["lora_te1_text_model_mlp_fc1", "lora_te3_encoder_block_0_layer_0"]
        for name in (*blocks, *encoders):
            module = nn.Module()
            module.lora_down = nn.Linear(4, 2, bias=False)
            module.lora_up = nn.Linear(2, 4, bias=False)
            self.add_module(name, module)


def open_mmlab(kind):
    """Names as mmpretrain's and mmdetection's backbones have them."""
    backbone = nn.Module()
    if kind == "vit":
        backbone.cls_token = nn.Parameter(torch.zeros(1, 1, 4))
        backbone.pos_embed = nn.Parameter(torch.zeros(1, 5, 4))
        backbone.patch_embed = nn.Conv2d(3, 4, 2)
        blocks = (timm.models.vision_transformer.Block(4, 2) for _ in range(5))
        backbone.layers = nn.ModuleList(blocks)
        backbone.ln1 = nn.LayerNorm(4)
        return Holder(backbone)
    if kind == "swin":
        backbone.patch_embed = nn.Conv2d(3, 4, 2)
        backbone.stages = nn.ModuleList(_swin_stage(depth, last) for depth, last in SWIN_STAGES)
        backbone.norm3 = nn.LayerNorm(4)
        return Holder(backbone)
    backbone.mask_token = nn.Parameter(torch.zeros(1, 4))
    norm = nn.LayerNorm
    backbone.downsample_layers = nn.ModuleList(
        nn.Sequential(norm(4), nn.Conv2d(4, 4, 2)) for _ in range(4)
    )
    backbone.stages = nn.ModuleList(
        nn.Sequential(*(nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), norm(4)) for _ in range(depth)))
        for depth in (3, 3, 9, 3)
    )
    backbone.norm3 = norm(4)
    return Holder(backbone)


SWIN_DEPTHS = (2, 2, 6, 2)
SWIN_STAGES = tuple((depth, stage == 3) for stage, depth in enumerate(SWIN_DEPTHS))


def _swin_stage(depth, last):
    stage = nn.Module()
    blocks = (timm.models.vision_transformer.Block(4, 2) for _ in range(depth))
    stage.blocks = nn.ModuleList(blocks)
    if not last:
        stage.downsample = nn.Module()
        stage.downsample.norm = nn.LayerNorm(4)
        stage.downsample.reduction = nn.Linear(4, 4, bias=False)
    return stage


class DeformConv2d(nn.Module):
    """As mmcv's: the convolution's own weight and bias, and a convolution that tells offsets."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 4, 3, 3))
        self.bias = nn.Parameter(torch.zeros(4))
        self.conv_offset = nn.Conv2d(4, 18, 3)


class ModulatedDeformConv2d(DeformConv2d):
    pass


class ModulatedDeformConv2dPack(ModulatedDeformConv2d):
    pass


@cache
def deformable():
    return nn.Sequential(
        DeformConv2d(), nn.BatchNorm2d(4), ModulatedDeformConv2dPack(), nn.Conv2d(4, 4, 1)
    )
