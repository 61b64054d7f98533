"""torchtitan's parameter groups, as the docstring of `ParamGroupConfig` tells them."""

import re


def groups(model, configs):
    """Settings and optimizers by name. Raises ValueError for a pattern that matches nothing more,
    and for a parameter without one."""
    left = {n for n, p in model.named_parameters() if p.requires_grad}
    out, optimizers = {}, {}
    for pattern, optimizer, options in configs:
        taken = {name for name in left if re.search(pattern, name)}
        if not taken:
            raise ValueError(f"{pattern} matched no parameters")
        left -= taken
        out |= {name: dict(options) for name in taken}
        optimizers |= dict.fromkeys(taken, optimizer)
    if left:
        raise ValueError("Parameter mismatch")
    return out, optimizers
