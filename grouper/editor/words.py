"""What the words of the language mean, in a sentence each, for hover and completion."""

from __future__ import annotations

from collections.abc import Mapping

STATEMENTS: Mapping[str, str] = {
    "let": "`let x = expr` declares a variable; `--set x=expr` overrides it.",
    "include": '`include "file"` puts the statements of that file here.',
    "for": '`for "model.pt"` names a model that the file is written for.',
    "base_model": '`base_model "small.pt"` names the model whose facts `base_model.fan_in` are.',
    "tag": "`tag param_group` names keys that the groups carry for other readers.",
    "optimizer": "`optimizer NAME options`: a class of torch.optim, or `package.module:Class`.",
    "warmup": "`warmup epochs=3` lets the lr rise at the beginning of the run.",
    "schedule": "`schedule NAME options`: how the lr changes after warm-up.",
    "split": "`split NAME { rules }`: each parameter falls under exactly one of these rules.",
    "strict": "`strict` makes it an error that several top-level rules match a parameter.",
    "expect": "`expect claim` is a claim about the groups, which `grouper check` holds them to.",
    "allow": "`allow CODE [selector]` accepts a finding.",
}
RULES: Mapping[str, str] = {
    "override": "`override S -> ...` wins over plain rules wherever they disagree.",
    "else": "`else S` is what no earlier rule of the same block matched, and `S` matches.",
    "optional": "`optional S -> ...` may match nothing.",
}
SELECTORS: Mapping[str, str] = {
    "in": "`in model.24`, `in @Detect`: the owning module, or any module above it.",
    "not": "`not S`: what `S` does not match.",
    "and": "`S and T`: what both match.",
    "or": "`S or T`: what one of them matches.",
    "where": "`S where i < 4`: of what `S` matches, that for which the condition holds.",
    "has": "`has no_weight_decay`: an attribute of the parameter, or a list of a module above it.",
    "trainable": "`trainable`: what `requires_grad` says of the parameter.",
    "tied": "`tied`: a parameter that several modules share.",
}
OTHERS: Mapping[str, str] = {
    "as": "`optimizer Muon as hidden` gives the optimizer a name of its own.",
    "after": "`expect ... after warmup` holds of the steps that follow the warm-up.",
    "freeze": "`freeze` takes the parameters out of training: they are in no group.",
    "true": "The value `true`.",
    "false": "The value `false`.",
    "none": "No value.",
}
KEYWORDS: Mapping[str, str] = {**STATEMENTS, **RULES, **SELECTORS, **OTHERS}
FACTS: Mapping[str, str] = {
    "ndim": "The number of the tensor's dimensions.",
    "numel": "How many numbers the tensor has.",
    "shape": "`shape[k]`: a size of the tensor; negative `k` count from the end.",
    "dtype": "The tensor's dtype, such as `float16`.",
    "fan_in": "Inputs times the receptive field, as torch counts them; of two dimensions or more.",
    "fan_out": "Outputs times the receptive field, as torch counts them.",
}
FUNCTIONS: Mapping[str, str] = {
    "min": "`min(a, b)`; of one capture, the smallest number that it takes.",
    "max": "`max(a, b)`; of one capture, the largest number that it takes.",
    "rank": "`rank(i)`: which one this number is, among those that the capture takes.",
    "count": "`count(i)`: how many numbers a capture takes; `count(label)`: how many tensors.",
    "numel": "`numel(label)`: how many numbers are trained under a label.",
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
    "weight_decay": "How much of a weight is subtracted at each step, per lr.",
    "momentum": "The share of the last update that goes into the next.",
    "optimizer": "Which of the declared optimizers these parameters go to.",
    "schedule": "The schedule of these parameters, instead of the file's.",
    "warmup_start": "The lr at step 0 of these parameters.",
    "warmup_epochs": "The length of these parameters' warm-up, in epochs.",
    "warmup_steps": "The length of these parameters' warm-up, in steps.",
    "warmup_share": "The length of these parameters' warm-up, as a share of the run.",
    "warmup_momentum": "The momentum of these parameters at step 0.",
    "final": "The last lr, as a fraction of the first.",
    "from_epoch": "The epoch from which on these parameters are trained.",
    "from_step": "The step from which on these parameters are trained.",
    "until_epoch": "The epoch until which these parameters are trained.",
    "until_step": "The step until which these parameters are trained.",
    "epochs": "The length of the warm-up, in epochs.",
    "steps": "The length of the warm-up, in steps.",
    "share": "The length of the warm-up, as a share of the run.",
    "min_steps": "The least number of steps that a warm-up in epochs has.",
    "start": "The lr at step 0.",
    "shape": "How the lr rises, or falls.",
    "every": "What the schedule counts in: `epoch` or `step`.",
    "lag": "How many epochs (or steps) late the schedule is followed after the warm-up.",
    "after": "`after=warmup` begins the schedule where the warm-up ends.",
}
