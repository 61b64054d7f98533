"""AllenNLP's parameter groups, as its documentation and warnings tell them."""

import re


def groups(model, optimizer, no_grad=()):
    """Settings by name and the names that it freezes. Raises ValueError as it does."""
    frozen = {n for n, _ in model.named_parameters() if any(re.search(r, n) for r in no_grad)}
    base = {k: v for k, v in optimizer.items() if k not in ("type", "parameter_groups")}
    out = {}
    for name, parameter in model.named_parameters():
        if name in frozen or not parameter.requires_grad:
            continue
        taken = {
            index
            for index, (regexes, _) in enumerate(optimizer["parameter_groups"])
            if any(re.search(regex, name) for regex in regexes)
        }
        if len(taken) > 1:
            raise ValueError(f"{name} was specified in two separate parameter groups")
        own = optimizer["parameter_groups"][taken.pop()][1] if taken else {}
        if own.get("requires_grad") is False:
            frozen.add(name)
        else:
            out[name] = {**base, **own}
            out[name].pop("requires_grad", None)
    return out, frozen
