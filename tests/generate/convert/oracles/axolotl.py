"""axolotl's groups beside `lr_groups`; what is decayed is asked of the Transformers at hand."""

import re


def decayed(model):
    """The names that Transformers' trainer decays, by the trainer's own method."""
    from transformers import Trainer

    return set(Trainer.get_decay_parameter_names(None, model))


def groups(model, lr, weight_decay=0.0, lr_groups=(), embedding_lr=None, embedding_lr_scale=None):
    of_module, rates = {}, {}
    for group in lr_groups:
        rates[group["name"]] = float(group["lr"])
        for module in group["modules"]:
            of_module[module] = group["name"]
    decay, out = decayed(model), {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        head = "embed_tokens" in name or "lm_head" in name
        if head or name.endswith("modules_to_save.default.weight"):
            rate = lr * embedding_lr_scale if embedding_lr_scale else embedding_lr or lr
            out[name] = {"lr": rate, "weight_decay": 0.0}
        elif name not in decay:
            out[name] = {"lr": lr, "weight_decay": 0.0}
        else:
            module = next((m for m in of_module if m in name), None)
            rate = rates[of_module[module]] if module else lr
            out[name] = {"lr": rate, "weight_decay": weight_decay}
    return out


def unfrozen(model, patterns):
    """The names that `unfrozen_parameters` leaves to train: dots are dots, from the beginning."""
    bare = [re.sub(r"\[\d*:?\d*\]$", "", pattern) for pattern in patterns]
    regexes = [re.compile(re.sub(r"\.(?!\+)", r"\\.", pattern)) for pattern in bare]
    return {n for n, _ in model.named_parameters() if any(r.match(n) for r in regexes)}
