"""mmengine's `paramwise_cfg` by kind: norms, biases, depthwise convolutions, vectors.

The first kind that has a setting counts, separately for decay and lr; the cases are the
combinations of both in mmengine's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grouper.generate.convert.converted import Case, Pattern, Remark, lost, note
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.options import times
from grouper.generate.convert.patterns import containing, owned
from grouper.generate.convert.section import Section
from grouper.generate.convert.torch_kinds import CONV_2D, DEFORMABLE, NORM, VECTOR, both, is_a
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory

KINDS = (
    "bias_lr_mult",
    "bias_decay_mult",
    "norm_decay_mult",
    "flat_decay_mult",
    "dwconv_decay_mult",
    "dcn_offset_lr_mult",
)
_BIAS = owned("bias")
_DEPTHWISE = tree.Comparison(
    tree.Subscript(tree.Word("shape"), tree.Number(1)), "==", tree.Number(1)
)
_ONLY_BIAS = note("only what is called `bias`: `in_proj_bias` and its like are left out")

Given = Mapping[str, float | None]


def kind_cases(
    paramwise: Section, labels: Labels, inventory: Inventory | None, *, decayed: bool
) -> Iterator[Case]:
    """The kinds that have a setting; without a weight decay those of decay have none."""
    given: Given = {
        key: paramwise.number(key) if decayed or key.endswith("lr_mult") else None for key in KINDS
    }
    yield from _norms(given, labels)
    yield from _offsets(given, labels, inventory)
    depthwise, own_decay = given["dwconv_decay_mult"], given["bias_decay_mult"]
    unknown: list[Remark] = []
    if depthwise is not None and own_decay is None:
        if inventory is None:
            unknown = [_UNKNOWN]
        else:
            yield from _depthwise_biases(given, labels, inventory)
    yield from _biases(given, labels)
    if depthwise is not None:
        remark = note("mmengine takes a convolution of one input channel for a depthwise one")
        options = times(weight_decay=depthwise)
        yield _kind("depthwise", labels, both(CONV_2D, _DEPTHWISE), options, remark, *unknown)
    if given["flat_decay_mult"] is not None:
        yield _kind("vector", labels, VECTOR, times(weight_decay=given["flat_decay_mult"]))


_UNKNOWN = lost(
    "mmengine decays the biases of depthwise convolutions as their weights (dwconv_decay_mult);"
    " which these are only a model tells: convert with --model"
)


def _norms(given: Given, labels: Labels) -> Iterator[Case]:
    own, flat = given["bias_decay_mult"], given["flat_decay_mult"]
    if given["norm_decay_mult"] is not None:
        yield _kind("norm", labels, NORM, times(weight_decay=given["norm_decay_mult"]))
    elif given["bias_lr_mult"] is not None:
        remark = note("biases of norms keep the lr, and have the decay of biases")
        if own is None and flat is not None:
            selector = both(NORM, _BIAS, VECTOR)
            yield _kind("norm.vector", labels, selector, times(weight_decay=flat), remark)
        options = times(weight_decay=own)
        yield _kind("norm.bias", labels, both(NORM, _BIAS), options, remark)


def _biases(given: Given, labels: Labels) -> Iterator[Case]:
    own, flat = given["bias_decay_mult"], given["flat_decay_mult"]
    if given["bias_lr_mult"] is None and own is None:
        return
    if own is None and flat is not None:  # by its decay it is a vector like others
        options = times(lr=given["bias_lr_mult"], weight_decay=flat)
        yield _kind("bias.vector", labels, both(_BIAS, VECTOR), options, _ONLY_BIAS)
    options = times(lr=given["bias_lr_mult"], weight_decay=own)
    yield _kind("bias", labels, _BIAS, options, _ONLY_BIAS)


def _depthwise_biases(given: Given, labels: Labels, inventory: Inventory) -> Iterator[Case]:
    """By name, since a bias does not show the shape of its convolution."""
    names = []
    for parameter in inventory.parameters:
        path, _, last = parameter.name.rpartition(".")
        weight = inventory.by_name.get(f"{path}.weight" if path else "weight")
        module = (inventory.modules or {}).get(path)
        if last == "bias" and weight and weight.shape and module and is_a(module, "Conv2d"):
            names += [parameter.name] if weight.shape[1] == 1 else []
    if names:
        patterns = tuple(Pattern(name, tree.Exact(name)) for name in names)
        options = times(lr=given["bias_lr_mult"], weight_decay=given["dwconv_decay_mult"])
        yield Case(patterns, labels.of("depthwise.bias"), options)


def _offsets(given: Given, labels: Labels, inventory: Inventory | None) -> Iterator[Case]:
    """The offsets of mmcv's deformable convolutions, which are no biases and no vectors to it."""
    modules = (inventory.modules or {}).values() if inventory else ()
    there = any(is_a(module, "DeformConv2d", "ModulatedDeformConv2d") for module in modules)
    asked = any(
        given[key] is not None for key in ("bias_lr_mult", "bias_decay_mult", "flat_decay_mult")
    )
    if given["dcn_offset_lr_mult"] is None and not (there and asked):
        return
    remark = note("only where mmcv has its operators: else mmengine does not know offsets")
    named = containing("conv_offset").selector
    selector = both(tree.Within(DEFORMABLE), tree.Not(DEFORMABLE), CONV_2D, named)
    yield _kind("offset", labels, selector, times(lr=given["dcn_offset_lr_mult"]), remark)


def _kind(
    name: str,
    labels: Labels,
    selector: tree.Selector,
    options: tuple[tree.Option, ...],
    *remarks: Remark,
) -> Case:
    return Case((Pattern(name, selector),), labels.of(name), options, remarks, kind=True)
