"""The options that torch's own optimizers take, to tell a slip from a key of one's own."""

from __future__ import annotations

from difflib import get_close_matches

from grouper.ruleset.model import PLAN_KEYS

SIMILARITY = 0.8  # below that, a key is more likely meant than misspelt

# Every argument of every optimizer in torch.optim (2.13); a test holds the list against torch.
TORCH_OPTIONS = (
    "adjust_lr_fn",
    "alpha",
    "amsgrad",
    "beta2_decay",
    "betas",
    "capturable",
    "centered",
    "d",
    "dampening",
    "decoupled_weight_decay",
    "differentiable",
    "eps",
    "etas",
    "foreach",
    "fused",
    "history_size",
    "initial_accumulator_value",
    "lambd",
    "line_search_fn",
    "lr",
    "lr_decay",
    "max_eval",
    "max_iter",
    "maximize",
    "momentum",
    "momentum_decay",
    "nesterov",
    "ns_coefficients",
    "ns_steps",
    "rho",
    "step_sizes",
    "t0",
    "tolerance_change",
    "tolerance_grad",
    "weight_decay",
)


def misspelt(key: str) -> str | None:
    """The known option that a key was probably meant to be; None for known keys and own ones."""
    known = (*TORCH_OPTIONS, *PLAN_KEYS, "optimizer", "freeze")
    if key in known:
        return None
    likely = get_close_matches(key, known, n=1, cutoff=SIMILARITY)
    return likely[0] if likely else None
