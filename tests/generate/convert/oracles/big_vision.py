"""big_vision's three tables, as its comments tell them, over a torch model's names."""

import re


def flax_name(name, parameter):
    """`head.weight` as flax would have it: `head/kernel`, and `scale` for vectors."""
    path, dot, own = name.rpartition(".")
    own = own if own != "weight" else "kernel" if parameter.ndim >= 2 else "scale"
    return f"{path}{dot}{own}".replace(".", "/")


def groups(model, lr, wd=0.0, lr_mults=(), wd_mults=None, schedule=()):
    """The rate at its height and the decay of a step (that is `lr * weight_decay` of AdamW), and
    the frozen names. Raises ValueError where `schedule` leaves a parameter out."""
    wd_mults = [(".*/kernel$", 1.0)] if wd_mults is None else wd_mults
    out, frozen = {}, set()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        flax = flax_name(name, parameter)

        def first(table, other, flax=flax):
            return next((value for regex, value in table if re.fullmatch(regex, flax)), other)

        plan = first(schedule, "nothing") if schedule else {}
        if plan == "nothing":
            raise ValueError(f"All params must be covered: {flax}")
        if plan is None:
            frozen.add(name)
            continue
        out[name] = (lr * first(lr_mults, 1.0), wd * first(wd_mults, 0.0))
    return out, frozen
