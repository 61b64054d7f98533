"""detectron2's `get_default_optimizer_params`, as its docstring tells it."""

from torch import nn

NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm, nn.GroupNorm,
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.LayerNorm,
)  # fmt: skip


def groups(model, base, *, norm=None, bias_lr=None, bias_decay=None, overrides=None):
    """Norms first, and over that what is said of names. Shared parameters count once."""
    by_name = {name: dict(options) for name, options in (overrides or {}).items()}
    for key, value in (("lr", bias_lr), ("weight_decay", bias_decay)):
        if value is not None:
            by_name.setdefault("bias", {})[key] = value
    out, seen = {}, set()
    for path, module in model.named_modules():
        for own, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad or parameter in seen:
                continue
            seen.add(parameter)
            options = dict(base)
            if isinstance(module, NORMS) and norm is not None:
                options["weight_decay"] = norm
            options.update(by_name.get(own, {}))
            out[f"{path}.{own}" if path else own] = options
    return out
