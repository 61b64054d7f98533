"""The models that the recipes of docs/cookbook.md are for: small ones of the same code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
import transformers
from support.fitting_models import Net, language_model
from torch import nn

from grouper.model.inventory import Inventory
from grouper.model.live import inventory_of
from grouper.model.read import read

SMALL = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
TEXT = {**SMALL, "num_hidden_layers": 4, "vocab_size": 60}
DECODER = {**TEXT, "num_key_value_heads": 2}
TOWER = {**SMALL, "num_hidden_layers": 2, "image_size": 28, "patch_size": 14}
RESNET = {"embedding_size": 8, "hidden_sizes": [8] * 4, "depths": [1] * 4}


class WithLoss(nn.Module):
    """A model, and a loss that learns its temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Net()
        self.loss = nn.Module()
        self.loss.temperature = nn.Parameter(torch.zeros(()))


class Gan(nn.Module):
    """A generator and a discriminator."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
        self.discriminator = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))


def _detr() -> nn.Module:
    config = transformers.DetrConfig(
        use_timm_backbone=False,
        backbone_config=transformers.ResNetConfig(
            **RESNET, out_features=["stage4"], layer_type="basic"
        ),
        d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2,
    )  # fmt: skip
    model = transformers.DetrForObjectDetection(config)
    return model.requires_grad_(True)  # transformers freezes more than DETR's own code


def _llama() -> nn.Module:
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**DECODER))


def _llava() -> nn.Module:
    return transformers.LlavaForConditionalGeneration(
        transformers.LlavaConfig(
            vision_config=transformers.CLIPVisionConfig(**TOWER),
            text_config=transformers.LlamaConfig(**DECODER),
        )
    )


def _clip() -> nn.Module:
    text = {**SMALL, "num_hidden_layers": 2, "vocab_size": 60}
    return transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=TOWER))


def _lora() -> nn.Module:
    import peft

    return peft.get_peft_model(_llama(), peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"]))


def _sam2() -> nn.Module:
    """SAM 2's layout, with a trunk of timm's port of it."""
    from support.timm_models import built

    net = nn.Module()
    net.image_encoder = nn.Module()
    net.image_encoder.trunk = built("sam2_hiera_tiny")
    del net.image_encoder.trunk.head
    net.image_encoder.neck = nn.Conv2d(8, 8, 1)
    net.memory_attention = nn.TransformerEncoderLayer(8, 2)
    return net


def _yolov8n() -> nn.Module:
    from ultralytics.nn.tasks import DetectionModel

    return DetectionModel("yolov8n.yaml", verbose=False)


BUILD: dict[str, Callable[[], nn.Module]] = {
    "bert": lambda: transformers.BertForSequenceClassification(transformers.BertConfig(**TEXT)),
    "clip": _clip,
    "detr": _detr,
    "gan": Gan,
    "gpt2": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=50)
    ),
    "llama": _llama,
    "llava": _llava,
    "lora": _lora,
    "loss": WithLoss,
    "net": Net,
    "sam2": _sam2,
    "yolov8n": _yolov8n,
}


@cache
def model(name: str) -> Inventory:
    """The inventory of a model by the name that the page gives it."""
    if name == "vit":
        return read("timm:vit_tiny_patch16_224")
    if name in ("transformer", "mup"):
        return language_model()
    return inventory_of(BUILD[name]())
