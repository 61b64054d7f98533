"""sd-scripts' rates of LoRA modules by `network_reg_lrs`, as its code does it and not its page."""

import re
from contextlib import suppress


def groups(model, text, base, *, unet=None, encoders=None, ratio=None):
    """Rates by name; parameters with a rate of 0 are in no group."""
    pairs = {}
    for pair in text.split(","):
        if "=" in pair:
            key, value = pair.split("=", 1)
            with suppress(ValueError):
                pairs[key.strip()] = float(value)
    first, second = encoders or (base, base)
    out = {}
    for full, _ in model.named_parameters():
        module, name = full.split(".", 1)
        rate = next((r for regex, r in pairs.items() if re.search(regex, module)), None)
        if rate is None:
            prefixes = {"lora_te1": first, "lora_te3": second}
            other = base if unet is None else unet
            rate = next((r for p, r in prefixes.items() if module.startswith(p)), other)
        rate = rate * ratio if ratio and "lora_up" in name else rate
        if rate:
            out[full] = {"lr": rate}
    return out
