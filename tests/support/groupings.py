"""Optimizers as frameworks build them, each by its own code where it is installed."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch
from support.torchvision_stub import define_operators
from torch import nn

define_operators()


def timm_decay(model):
    """timm's `param_groups_weight_decay`, as its `create_optimizer_v2` calls it."""
    from timm.optim import param_groups_weight_decay

    listed = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
    groups = param_groups_weight_decay(model, 0.05, no_weight_decay_list=listed)
    return torch.optim.AdamW(groups, lr=1e-3)


def timm_layers(model):
    """timm's layer decay."""
    from timm.optim import param_groups_layer_decay

    listed = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
    groups = param_groups_layer_decay(model, 0.05, listed, layer_decay=0.75)
    return torch.optim.AdamW(groups, lr=5e-4)


def trainer(model):
    """transformers' Trainer: what it decays and what it spares."""
    from transformers import Trainer

    decayed = set(Trainer.get_decay_parameter_names(None, model))
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for n, p in named if n in decayed], "weight_decay": 0.01},
        {"params": [p for n, p in named if n not in decayed], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=5e-5)


def ultralytics(name):
    """Ultralytics' `build_optimizer`, for an optimizer of this name."""

    def build(model):
        from ultralytics.engine.trainer import BaseTrainer

        asked = BaseTrainer.__new__(BaseTrainer)
        asked.args = SimpleNamespace(warmup_bias_lr=0.1, lr0=0.01, momentum=0.937)
        asked.data = {"nc": 80}
        return asked.build_optimizer(model, name=name, lr=0.01, momentum=0.937, decay=5e-4)

    return build


def yolov5(model):
    """The groups of YOLOv5's `smart_optimizer` (utils/torch_utils.py): biases, then weights with
    decay, then the weights of norms."""
    norms = tuple(v for k, v in nn.__dict__.items() if "Norm" in k)
    decayed, spared, biases = [], [], []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias":
                biases.append(parameter)
            elif name == "weight" and isinstance(module, norms):
                spared.append(parameter)
            else:
                decayed.append(parameter)
    optimizer = torch.optim.SGD(biases, lr=0.01, momentum=0.937, nesterov=True)
    optimizer.add_param_group({"params": decayed, "weight_decay": 5e-4})
    optimizer.add_param_group({"params": spared, "weight_decay": 0.0})
    return optimizer


def nanogpt(model):
    """nanoGPT's `configure_optimizers`."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=6e-4, betas=(0.9, 0.95))


def plain(model):
    """One group of everything."""
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def layers_by_name(model):
    """Rates that fall with the number of a layer, of the model's first list of layers; the head at
    the full rate."""
    numbered = re.compile(r"\.(\d+)\.")
    groups = {}
    for name, parameter in model.named_parameters():
        found = numbered.search(name)
        groups.setdefault(int(found[1]) if found else -1, []).append(parameter)
    most = max(groups)
    return torch.optim.AdamW(
        [{"params": ps, "lr": 2e-5 * 0.9 ** (most - n)} for n, ps in sorted(groups.items())]
    )


def lora_plus(model):
    """peft's LoRA+ on a model that is given LoRA here."""
    peft = pytest.importorskip("peft")
    from peft.optimizers import create_loraplus_optimizer

    return create_loraplus_optimizer(
        peft.get_peft_model(model, peft.LoraConfig(target_modules="all-linear")),
        torch.optim.AdamW,
        lr=2e-4,
        loraplus_lr_ratio=16,
    )
