"""llm-foundry's `param_groups` and `disable_grad`, as the docstring of its function tells them."""

import re


def groups(model, config):
    """Settings and frozen names. What is frozen stays in its group there; the settings lack it."""
    disabled = config.get("disable_grad", [])
    disabled = [disabled] if isinstance(disabled, str) else disabled
    frozen = {n for n, _ in model.named_parameters() if any(re.search(t, n) for t in disabled)}
    own = ("name", "param_groups", "disable_grad")
    base = {k: v for k, v in config.items() if k not in own}
    out = {}
    for name, parameter in model.named_parameters():
        if name in frozen or not parameter.requires_grad:
            continue
        matching = (
            g for g in config.get("param_groups", ()) if re.search(g["param_str_match"], name)
        )
        first = next(matching, {})
        out[name] = {**base, **{k: v for k, v in first.items() if k != "param_str_match"}}
    return out, frozen
