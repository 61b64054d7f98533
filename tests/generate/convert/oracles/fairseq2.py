"""fairseq2's `prepare_parameter_groups` for AdamW, as its docstrings tell it."""

import re

ADAMW = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}


def groups(model, config):
    """The first group with a regex that matches the name's beginning, or is the name."""
    base = {**ADAMW, **{k: v for k, v in config.items() if k not in ("groups", "impl")}}
    out = {}
    for name, _ in model.named_parameters():
        out[name] = dict(base)
        for group in config["groups"]:
            texts = group["params"]
            texts = [texts] if isinstance(texts, str) else texts
            if any(text == name or re.match(text, name) for text in texts):
                own = {k: v for k, v in group.items() if k != "params" and v != "default"}
                out[name] = {**base, **own}
                break
    return out
