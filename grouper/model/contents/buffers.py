"""Infers which tensors of a state dict are buffers, from their dtypes, names and neighbours.

A state dict does not distinguish parameters from buffers; only the dtype is certain evidence. A
tensor that could be either counts as a parameter and is marked unsure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from grouper.model.contents import uncounted_norms
from grouper.model.pickle.tensors import Tensor
from grouper.text.dataclass import dataclass, field

Reason = Literal["dtype", "name", "neighbours", "frozen norm", "router"]
# Names that torch's own modules and widely used models give only to buffers.
_OF_BUFFERS = """
    running_mean running_var num_batches_tracked inv_freq original_inv_freq cos_cached
    sin_cached relative_position_index relative_coords_table attn_mask attention_mask
    causal_mask masked_bias position_ids token_type_ids anchors anchor_grid stride strides
    pixel_mean pixel_std positional_encoding_gaussian_matrix num_points_scale n_points_scale
    alphas_cumprod betas_cumprod _float_tensor total_ops total_params
    layer_scalar output_mask
"""
NAMES = frozenset(_OF_BUFFERS.split())
# The constants of e3nn's tensor products (Wigner 3j symbols), one buffer for each triple.
_WIGNER = re.compile(r"_w3j(_\d+)+")
# Correction biases of expert routers. They are buffers in most models and frozen parameters in the
# others: they only affect the choice of experts and get no gradient.
_OF_ROUTERS = frozenset({"e_score_correction_bias", "expert_bias"})
# If a module has all tensors of the first entry, those of the second are buffers: of observers,
# quantised linears (GPTQ, AWQ, bitsandbytes), codebooks, latent diffusion, ...
_NEIGHBOURS = tuple(
    (frozenset(beside.split()), frozenset(buffers.split()))
    for beside, buffers in (
        ("mean std", "mean std"),
        ("norm_mean norm_std", "norm_mean norm_std"),
        ("global_mean global_invstd", "global_mean global_invstd"),
        ("min_val max_val", "min_val max_val eps histogram"),
        ("input_min output_min", "input_min input_max output_min output_max"),
        ("scale zero_point", "scale zero_point"),
        ("qweight qzeros", "scales bias"),
        ("absmax quant_map", "absmax quant_map nested_absmax nested_quant_map"),
        ("SCB weight_format", "SCB"),
        ("cluster_size embed_avg", "cluster_size embed_avg embed inited"),
        ("cluster_usage embed_sum", "cluster_usage embed_sum initialized"),
        ("queue queue_ptr", "queue queue_ptr"),
        ("x_min x_max act_scaling_factor", "x_min x_max act_scaling_factor"),
        ("weight_integer fc_scaling_factor", "weight_integer bias_integer fc_scaling_factor"),
        ("weight_integer weight_scaling_factor", "weight_integer weight_scaling_factor"),
        ("alpha_p alpha_n beta eps", "beta eps"),
        ("slope_rate diagonal_decay", "slope_rate diagonal_decay query_decay key_decay"),
        (
            "betas alphas_cumprod",
            "betas alphas_cumprod_prev sqrt_alphas_cumprod sqrt_one_minus_alphas_cumprod"
            " log_one_minus_alphas_cumprod sqrt_recip_alphas_cumprod sqrt_recipm1_alphas_cumprod"
            " posterior_variance posterior_log_variance_clipped posterior_mean_coef1"
            " posterior_mean_coef2",
        ),
    )
)
_BESIDE = {
    name: [beside for beside, buffers in _NEIGHBOURS if name in buffers]
    for name in frozenset().union(*(buffers for _, buffers in _NEIGHBOURS))
}
# If a module has these, all its tensors are buffers: latent diffusion keeps averages in one module.
_AVERAGES = {"decay", "num_updates"}
# `weight_u` and `weight_v` of a spectral norm, `weight_mask` of pruning, beside `weight_orig`.
_DERIVED = ("_u", "_v", "_mask")
# The buffers of torch's spectral and orthogonal parametrizations.
_PARAMETRIZATION = re.compile(r"(?:.+\.)?parametrizations\.\w+\.\d+")
_OF_PARAMETRIZATIONS = ("_u", "_v", "base")
Modules = Mapping[str, Mapping[str, Tensor]]


@dataclass(frozen=True)
class InferredBuffers:
    """The names of inferred buffers, each with its reason, and the names of tensors that count as
    parameters but could equally be buffers."""

    buffers: Mapping[str, Reason] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()


def infer_buffers(tensors: Iterable[tuple[str, Tensor]], modules: Modules) -> InferredBuffers:
    """Infers the buffers among the tensors of one state dict; `modules` are its `siblings`."""
    norms = uncounted_norms.kinds(modules)
    buffers: dict[str, Reason] = {}
    unsure = set()
    plain_kinds: set[object] = set()
    plain = {path for path, own in modules.items() if _is_plain(own, plain_kinds)}
    for name, facts in tensors:
        path, _, last = name.rpartition(".")
        if facts.is_parameter or (path in plain and path not in norms):
            continue
        reason = _reason(path, last, facts, modules[path])
        if reason is not None:
            buffers[name] = reason
        elif norms.get(path) == "frozen":
            buffers[name] = "frozen norm"
        elif path in norms:
            unsure.add(name)
    return InferredBuffers(buffers, frozenset(unsure))


def _is_plain(module: Mapping[str, Tensor], plain_kinds: set[object]) -> bool:
    """Whether a module has no tensor that could be a buffer, whatever the module's path.

    `plain_kinds` caches the names and dtypes of the modules for which this is true.
    """
    kind = tuple([(last, f.dtype, f.is_buffer, len(f.shape or ())) for last, f in module.items()])
    if kind in plain_kinds:
        return True
    if any(
        last in _OF_PARAMETRIZATIONS or _reason("", last, facts, module) is not None
        for last, facts in module.items()
    ):
        return False
    if "bias" not in module or len(module["bias"].shape or ()) != 4:  # else its sizes matter, too
        plain_kinds.add(kind)
    return True


def inferred(tensors: Iterable[tuple[str, Tensor]]) -> Mapping[str, Reason]:
    """The names of inferred buffers, each with its reason."""
    tensors = list(tensors)
    return infer_buffers(tensors, siblings(tensors)).buffers


def _reason(path: str, last: str, facts: Tensor, module: Mapping[str, Tensor]) -> Reason | None:
    if facts.dtype is not None and not can_train(facts.dtype):
        return "dtype"
    if facts.is_buffer or _is_named(path, last):
        return "name"
    if last in _OF_ROUTERS:
        return "router"
    return "neighbours" if _beside(last, module) else None


def siblings(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    """The tensors of each module, by the last segment of their names."""
    modules: dict[str, dict[str, Tensor]] = {}
    for name, facts in tensors:
        path, _, last = name.rpartition(".")
        modules.setdefault(path, {})[last] = facts
    return modules


def can_train(dtype: str) -> bool:
    """Whether torch can compute gradients for a dtype."""
    return dtype.startswith(("float", "bfloat", "complex"))


def _is_named(path: str, last: str) -> bool:
    if last in _OF_PARAMETRIZATIONS and _PARAMETRIZATION.fullmatch(path):
        return True
    return last in NAMES or _WIGNER.fullmatch(last) is not None


def _beside(last: str, module: Mapping[str, Tensor]) -> bool:
    if module.keys() >= _AVERAGES:
        return True
    if last == "bias" and _is_mask(module):
        return True
    if last.endswith(_DERIVED) and f"{last.rpartition('_')[0]}_orig" in module:
        return True
    return any(beside <= module.keys() for beside in _BESIDE.get(last, ()))


def _is_mask(module: Mapping[str, Tensor]) -> bool:
    """Whether `bias` is the causal mask of GPT-2 and its descendants: 1 x 1 x n x n, no weight."""
    shape = module["bias"].shape
    square = shape is not None and len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3]
    return square and "weight" not in module
