"""Names of other tools for options, schedules and optimizers, with their equivalents here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Translation:
    """The equivalent of a foreign key. `says` is shown to the user. `key` and `operator` replace
    the foreign key if its value can be kept, followed by `suffix`."""

    says: str
    key: str | None = None
    operator: str = "="
    suffix: str = ""


def _table(*rows: tuple[str, Translation]) -> Mapping[str, Translation]:
    words = {word: translation for line, translation in rows for word in line.split()}
    return MappingProxyType(words)


FOREIGN = _table(
    (
        "lr_mult lr_mul lr_scale lr_factor lr_multiplier lr_ratio lr_coef mult_lr scale_lr",
        Translation("a factor of the lr is `lr*=`", "lr", "*="),
    ),
    (
        "wd_mult decay_mult weight_decay_mult wd_scale decay_factor weight_decay_factor"
        " wd_multiplier weight_decay_multiplier",
        Translation("a factor of the decay is `weight_decay*=`", "weight_decay", "*="),
    ),
    (
        "learning_rate learningrate base_lr lrate init_lr max_lr peak_lr lr0 eta",
        Translation("the learning rate is `lr=`", "lr"),
    ),
    (
        "wd decay l2 l2_reg l2_penalty weightdecay weight_decay_rate regularization",
        Translation("the decay is `weight_decay=`", "weight_decay"),
    ),
    (
        "beta1 beta2 adam_beta1 adam_beta2",
        Translation("both betas are one tuple: `betas=(0.9, 0.999)`"),
    ),
    ("epsilon adam_epsilon", Translation("it is called `eps=`", "eps")),
    ("mom", Translation("it is called `momentum=`", "momentum")),
    (
        "requires_grad require_grad frozen freezed is_frozen trainable train freeze_params",
        Translation("to freeze parameters, write `freeze` alone: `SELECTOR -> freeze`"),
    ),
    (
        "use_muon muon is_muon use_adam optim opt optimizer_type optimizer_name",
        Translation(
            "declare a second optimizer and send the group to it:"
            " `optimizer Muon as hidden lr=0.02`, then `optimizer=hidden` in the rule"
        ),
    ),
    (
        "muon_lr adam_lr adamw_lr aux_lr",
        Translation(
            "an optimizer has one lr: declare two of them (`optimizer AdamW lr=...`,"
            " `optimizer Muon as hidden lr=...`) and send matrices to the second by"
            " `optimizer=hidden`"
        ),
    ),
    (
        "min_lr eta_min lr_min final_lr end_lr lr_end lr_final",
        Translation(
            "the last lr is `final=`, a fraction of the group's own: `final=1e-5/lr`",
            "final",
            suffix="/lr",
        ),
    ),
    (
        "min_lr_ratio min_lr_rate lrf final_lr_ratio lr_final_fraction",
        Translation("the last lr is `final=`, a fraction of the first", "final"),
    ),
    (
        "warmup_ratio warmup_fraction warmup_proportion warmup_frac pct_start",
        Translation("a share of the run is `warmup_share=`", "warmup_share"),
    ),
    (
        "warmup_iters warmup_iter num_warmup_steps warmup_iterations warmup_length",
        Translation("its length in steps is `warmup_steps=`", "warmup_steps"),
    ),
    ("warmup", Translation("its length is `warmup_epochs=`, `warmup_steps=` or `warmup_share=`")),
    (
        "warmup_lr warmup_bias_lr warmup_init_lr warmup_lr_init init_warmup_lr warmup_start_lr",
        Translation("the lr at step 0 is `warmup_start=`", "warmup_start"),
    ),
    (
        "freeze_epochs freeze_until unfreeze_at unfreeze_at_epoch unfreeze_epoch start_epoch"
        " unfreeze frozen_epochs",
        Translation("to train from an epoch on, write `from_epoch=`", "from_epoch"),
    ),
    ("freeze_steps unfreeze_step start_step", Translation("it is `from_step=`", "from_step")),
    ("freeze_at_epoch end_epoch", Translation("it is `until_epoch=`", "until_epoch")),
    (
        "no_decay no_weight_decay skip_decay exclude_from_weight_decay apply_weight_decay"
        " use_weight_decay decayed",
        Translation("for no decay, write `weight_decay=0`"),
    ),
    (
        "layer_decay layerwise_decay llrd lr_decay_rate layer_lr_decay layer_decay_rate",
        Translation(
            "a rate by layer is a rule that captures the layer's number:"
            " `layers.{i}.* -> layer{i} lr*=0.9 ** (count(i) - i)`"
        ),
    ),
    (
        "scheduler lr_scheduler lr_scheduler_type schedule_type",
        Translation("it is `schedule=`", "schedule"),
    ),
    (
        "group group_name name",
        Translation("a group's name is its label, before the options: `S -> head`"),
    ),
)

# Options of the `warmup` and `schedule` statements that have another name here.
IN_STATEMENTS = _table(
    ("ratio fraction proportion warmup_ratio frac", Translation("`share=`", "share")),
    (
        "iters iterations num_steps warmup_steps num_warmup_steps warmup_iters length",
        Translation("`steps=`", "steps"),
    ),
    ("warmup_epochs num_epochs", Translation("`epochs=`", "epochs")),
    (
        "init_lr warmup_lr start_lr warmup_start start_factor initial_lr lr",
        Translation("`start=`, the lr at step 0", "start"),
    ),
    (
        "eta_min min_lr lr_min final_lr end_lr lr_end",
        Translation(
            "`final=`, a fraction of each group's lr: `final=1e-5/lr`", "final", suffix="/lr"
        ),
    ),
    (
        "min_lr_ratio lrf min_lr_rate end_factor alpha final_fraction min_ratio",
        Translation("`final=`, a fraction of the first lr", "final"),
    ),
    ("step_size decay_epochs decay_steps lr_step", Translation("`size=`", "size")),
    ("decay_rate lr_gamma decay_factor", Translation("`gamma=`", "gamma")),
    ("num_cycles cycle_limit T_mult", Translation("`cycles=`", "cycles")),
    (
        "T_max t_max total_steps num_training_steps max_iters t_initial epochs total_iters",
        Translation("nothing: the length of the run is passed when the plan is made"),
    ),
    ("steps", Translation("`milestones=`", "milestones")),
)

# Names of other tools' schedules and optimizers.
SCHEDULE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "cosine_with_warmup": "cosine after=warmup",
        "cosine_with_restarts": "cosine cycles=2 after=warmup",
        "cosine_with_hard_restarts_with_warmup": "cosine cycles=2 after=warmup",
        "constant_with_warmup": "constant",
        "linear_with_warmup": "linear after=warmup",
        "linear_warmup_cosine": "cosine after=warmup",
        "warmup_cosine": "cosine after=warmup",
        "warmup_stable_decay": "wsd",
        "wsd_schedule": "wsd",
        "CosineAnnealingLR": "cosine",
        "cosine_annealing": "cosine",
        "cosineannealing": "cosine",
        "cosinelrscheduler": "cosine",
        "CosineLRScheduler": "cosine",
        "LinearLR": "linear",
        "StepLR": "step",
        "multistep": "step",
        "MultiStepLR": "step",
        "ExponentialLR": "exponential",
        "PolynomialLR": "polynomial",
        "poly": "polynomial",
        "ConstantLR": "constant",
        "none": "constant",
        "inverse_sqrt_with_warmup": "inverse_sqrt",
        "rsqrt": "inverse_sqrt",
    }
)
OPTIMIZER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "adamw_torch": "AdamW",
        "adamw_torch_fused": "AdamW fused=true",
        "adamw_hf": "AdamW",
        "adamw_8bit": "bitsandbytes.optim:AdamW8bit",
        "AdamW8bit": "bitsandbytes.optim:AdamW8bit",
        "paged_adamw_8bit": "bitsandbytes.optim:PagedAdamW8bit",
        "lion": "lion_pytorch:Lion",
        "Lion": "lion_pytorch:Lion",
        "prodigy": "prodigyopt:Prodigy",
        "Prodigy": "prodigyopt:Prodigy",
        "sgd_momentum": "SGD momentum=0.9",
    }
)
