"""The meaning of each word of the language in one sentence, for hover and completion."""

from __future__ import annotations

from collections.abc import Mapping

STATEMENTS: Mapping[str, str] = {
    "let": "`let x = expr` declares a variable; `--set x=expr` overrides it.",
    "include": '`include "file"` inserts the statements of that file here.',
    "for": '`for "model.pt"` names a model that the file is written for.',
    "base_model": '`base_model "small.pt"` names the model that `base_model.fan_in` refers to.',
    "tag": "`tag param_group` declares keys in the groups that are not options of the optimizer.",
    "optimizer": "`optimizer NAME options`: a class of torch.optim, or `package.module:Class`.",
    "warmup": "`warmup epochs=3` raises the lr at the beginning of the run.",
    "schedule": "`schedule NAME options`: how the lr changes after warm-up.",
    "split": "`split NAME { rules }`: each parameter must match exactly one of these rules.",
    "strict": "`strict` makes it an error if several top-level rules match a parameter.",
    "expect": "`expect claim` is a claim about the groups, which `grouper check` verifies.",
    "allow": "`allow CODE [selector]` accepts a finding.",
}
RULES: Mapping[str, str] = {
    "override": "`override S -> ...` takes precedence over rules without `override`.",
    "else": "`else S`: parameters that `S` matches and no earlier rule of the same block does.",
    "optional": "`optional S -> ...` may match nothing.",
}
SELECTORS: Mapping[str, str] = {
    "in": "`in model.24`, `in @Detect`: the owning module, or any module above it.",
    "not": "`not S`: parameters that `S` does not match.",
    "and": "`S and T`: parameters that both match.",
    "or": "`S or T`: parameters that at least one of them matches.",
    "where": "`S where i < 4`: parameters that `S` matches and for which the condition is true.",
    "has": "`has no_weight_decay`: an attribute of the parameter, or a list of a module above it.",
    "trainable": "`trainable`: parameters with `requires_grad=True`.",
    "tied": "`tied`: parameters that several modules share.",
}
OTHERS: Mapping[str, str] = {
    "as": "`optimizer Muon as hidden` gives the optimizer a custom name.",
    "after": "`expect ... after warmup` applies to the steps after the warm-up.",
    "freeze": "`freeze` excludes the parameters from training: they are in no group.",
    "true": "The value `true`.",
    "false": "The value `false`.",
    "none": "No value.",
}
KEYWORDS: Mapping[str, str] = {**STATEMENTS, **RULES, **SELECTORS, **OTHERS}
FACTS: Mapping[str, str] = {
    "ndim": "The number of dimensions of the tensor.",
    "numel": "The number of elements of the tensor.",
    "shape": "`shape[k]`: a size of the tensor; negative `k` count from the end.",
    "dtype": "The tensor's dtype, such as `float16`.",
    "fan_in": "Inputs times the receptive field, computed like torch, for two or more dimensions.",
    "fan_out": "Outputs times the receptive field, computed like torch.",
}
FUNCTIONS: Mapping[str, str] = {
    "min": "`min(a, b)`; for one capture, the smallest number that it takes.",
    "max": "`max(a, b)`; for one capture, the largest number that it takes.",
    "rank": "`rank(i)`: the position of this number among those that the capture takes.",
    "count": "`count(i)`: how many numbers a capture takes; `count(label)`: how many tensors.",
    "numel": "`numel(label)`: how many parameters are trained under a label.",
    "sqrt": "The square root.",
    "log": "The natural logarithm.",
    "exp": "e to the power of its argument.",
    "abs": "The absolute value.",
    "floor": "Rounded down to an integer.",
    "ceil": "Rounded up to an integer.",
    "round": "Rounded to the nearest integer.",
    "sin": "The sine, of radians.",
    "cos": "The cosine, of radians.",
}
OPTIONS: Mapping[str, str] = {
    "lr": "The learning rate.",
    "weight_decay": "The fraction of a weight that is subtracted at each step, relative to the lr.",
    "momentum": "The fraction of the last update that is added to the next.",
    "optimizer": "The declared optimizer for these parameters.",
    "schedule": "The schedule of these parameters, instead of the file's.",
    "warmup_start": "The lr of these parameters at step 0.",
    "warmup_epochs": "The length of these parameters' warm-up, in epochs.",
    "warmup_steps": "The length of these parameters' warm-up, in steps.",
    "warmup_share": "The length of these parameters' warm-up, as a share of the run.",
    "warmup_momentum": "The momentum of these parameters at step 0.",
    "final": "The last lr, as a fraction of the first.",
    "from_epoch": "The epoch from which these parameters are trained.",
    "from_step": "The step from which these parameters are trained.",
    "until_epoch": "The epoch until which these parameters are trained.",
    "until_step": "The step until which these parameters are trained.",
    "epochs": "The length of the warm-up, in epochs.",
    "steps": "The length of the warm-up, in steps.",
    "share": "The length of the warm-up, as a share of the run.",
    "min_steps": "The minimum number of steps of a warm-up in epochs.",
    "start": "The lr at step 0.",
    "shape": "The shape of the curve.",
    "every": "The unit of the schedule: `epoch` or `step`.",
    "lag": "How many epochs (or steps) the schedule is delayed after the warm-up.",
    "after": "`after=warmup` begins the schedule where the warm-up ends.",
}
