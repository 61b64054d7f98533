"""Layer decay of OpenMMLab: the depths that mmpretrain's ViT and Swin and mmdetection's ConvNeXt
give to names, and the constructors' decay of weights."""

import re


def vit_depth(name, blocks):
    name = name.removeprefix("backbone.") if name.startswith("backbone.") else None
    if name is None:
        return blocks + 1
    if name in ("cls_token", "pos_embed") or name.startswith("patch_embed"):
        return 0
    if name.startswith("layers"):
        return int(name.split(".")[1]) + 1
    return blocks + 1


def swin_depth(name, depths):
    if not name.startswith("backbone."):
        return sum(depths) + 1
    name = name.removeprefix("backbone.")
    if name.startswith("patch_embed"):
        return 0
    found = re.match(r"stages\.(\d+)\.(?:blocks\.(\d+)|downsample)\.", name)
    if found is None:
        return sum(depths) + 1
    stage = int(found[1])
    if found[2] is None:
        return sum(depths[: stage + 1])
    return sum(depths[:stage]) + int(found[2]) + 1


def convnext_layer(name, last):
    """mmdetection's numbers for `layer_wise`; `last` is `num_layers` of the configuration."""
    if name in ("backbone.cls_token", "backbone.mask_token", "backbone.pos_embed"):
        return 0
    parts = name.split(".")
    if name.startswith("backbone.downsample_layers"):
        return (0, 2, 3, last)[int(parts[2])]
    if name.startswith("backbone.stages"):
        stage, block = int(parts[2]), int(parts[3])
        return (1, 2, 3 + block // 3, last)[stage]
    return last + 1


def convnext_stage(name, last):
    tokens = ("backbone.cls_token", "backbone.mask_token", "backbone.pos_embed")
    if name in tokens or name.startswith("backbone.downsample_layers"):
        return 0
    if name.startswith("backbone.stages"):
        return int(name.split(".")[2]) + 1
    return last + 1


def kinds(model, decay, paramwise):
    """mmpretrain's weight decays: keys (in names as they are), norms, biases, vectors."""
    from torch import nn

    norms = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm)
    keys = sorted(sorted(paramwise.get("custom_keys", {})), key=len, reverse=True)
    out = {}
    for path, module in model.named_modules():
        norm = isinstance(module, (*norms, nn.GroupNorm, nn.LayerNorm))
        for own, parameter in module.named_parameters(recurse=False):
            name = f"{path}.{own}" if path else own
            key = next((key for key in keys if key in name), None)
            if key is not None:
                factor = paramwise["custom_keys"][key].get("decay_mult", 1.0)
            elif norm and "norm_decay_mult" in paramwise:
                factor = paramwise["norm_decay_mult"]
            elif own == "bias" and "bias_decay_mult" in paramwise:
                factor = paramwise["bias_decay_mult"]
            elif parameter.ndim == 1 and "flat_decay_mult" in paramwise:
                factor = paramwise["flat_decay_mult"]
            else:
                factor = 1.0
            out[name] = decay * factor
    return out
