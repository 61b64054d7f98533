"""mmengine's `optim_wrapper` with its `paramwise_cfg`, and mmcv's older `optimizer` of that kind.

`DefaultOptimWrapperConstructor` gives each parameter to the longest key of `custom_keys` that its
name contains, and what no key takes to kinds; the layer-decay constructors are in mmengine_layers.
"""

from __future__ import annotations

from typing import Any

from grouper.generate.convert.converted import (
    Case,
    Converted,
    Line,
    Part,
    Remark,
    Table,
    lost,
    note,
)
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.mmengine_keys import key_cases
from grouper.generate.convert.mmengine_kinds import KINDS, kind_cases
from grouper.generate.convert.mmengine_layers import CONSTRUCTORS
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.section import Section
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory

_DEFAULT = ("DefaultOptimWrapperConstructor", "DefaultOptimizerConstructor", None)
_NEED_DECAY = ("bias_decay_mult", "norm_decay_mult", "dwconv_decay_mult")


def recognises(config: Any) -> bool:
    if not isinstance(config, dict):
        return False
    optimizer = config.get("optimizer")
    old = isinstance(optimizer, dict) and "paramwise_cfg" in optimizer
    return "optim_wrapper" in config or "paramwise_cfg" in config or old


def convert(config: Any, inventory: Inventory | None) -> Converted:
    """The rules of a configuration. The model tells which biases belong to depthwise convolutions,
    and whether there are deformable ones."""
    root = Section.of(config)
    wrapper = root.section("optim_wrapper") or root
    optimizer = wrapper.section("optimizer") or wrapper
    if "type" not in optimizer:
        raise ConvertError(
            f"`{optimizer.path or 'optimizer'}` has no `type`: it is not a single optimizer,"
            " and each of several has to be converted by itself"
        )
    holder = next((s for s in (wrapper, optimizer) if "paramwise_cfg" in s), wrapper)
    parts = _tables(root, holder, optimizer, inventory)
    name = str(optimizer.raw("type"))
    options = optimizer.without("type", "paramwise_cfg", "constructor")
    losses = _losses(root, wrapper)
    return Converted((*optimizer_lines(name, options), *losses, *parts))


def _tables(
    root: Section, holder: Section, optimizer: Section, inventory: Inventory | None
) -> list[Part]:
    paramwise = holder.section("paramwise_cfg") or Section({}, holder.place("paramwise_cfg"))
    constructor = (holder.text("constructor") or "").rpartition(".")[2] or None
    if constructor is not None and constructor in CONSTRUCTORS:
        return CONSTRUCTORS[constructor](root, optimizer, paramwise, inventory)
    if constructor not in _DEFAULT:
        known = ", ".join(f"`{name}`" for name in (_DEFAULT[0], *CONSTRUCTORS))
        raise ConvertError(
            f"`{holder.place('constructor')}` is `{constructor}`: known here are {known}"
        )
    if not paramwise.values:
        said = note("no paramwise_cfg, so one group; in mmengine it holds frozen parameters, too")
        every = tree.Rule(None, tree.Label((tree.Text("all"),)), otherwise=True)
        return [Line(every, (said,))]
    return [_table(optimizer, paramwise, inventory)]


def _table(optimizer: Section, paramwise: Section, inventory: Inventory | None) -> Table:
    _refuse_missing(optimizer, paramwise)
    known = ("custom_keys", "bypass_duplicate", *KINDS)
    dead = [key for key in paramwise.values if key not in known]
    remarks = [
        note(f"`{paramwise.place(key)}` is not a setting of mmengine, which does not report it")
        for key in dead
    ]
    labels = Labels()
    decayed = optimizer.number("weight_decay") is not None
    cases = (
        *key_cases(paramwise, labels, decayed=decayed),
        *kind_cases(paramwise, labels, inventory, decayed=decayed),
        Case((), labels.of("rest")),
    )
    return Table("part", cases, remarks=(*remarks, *_duplicates(paramwise, inventory)))


def _refuse_missing(optimizer: Section, paramwise: Section) -> None:
    """Raises ConvertError for a missing value without which mmengine itself stops."""
    custom = paramwise.section("custom_keys") or Section({})
    lr_asked = bool(custom.values) or any(
        paramwise.raw(key) is not None for key in ("bias_lr_mult", "dcn_offset_lr_mult")
    )
    if lr_asked and optimizer.number("lr") is None:
        raise ConvertError(
            f"`{optimizer.place('lr')}` is missing: mmengine multiplies it, and stops there"
        )
    decay_asked = any(key in paramwise for key in _NEED_DECAY) or any(
        isinstance(entry, dict) and "decay_mult" in entry for entry in custom.values.values()
    )
    if decay_asked and optimizer.number("weight_decay") is None:
        raise ConvertError(
            f"`{optimizer.place('weight_decay')}` is missing: mmengine multiplies it,"
            " and stops with `base_wd should not be None`"
        )


def _duplicates(paramwise: Section, inventory: Inventory | None) -> list[Remark]:
    tied = [p for p in inventory.parameters if p.tied] if inventory else []
    if not tied or paramwise.raw("bypass_duplicate"):
        return []
    return [
        lost(
            f"mmengine refuses this model: `{tied[0].name}` is shared by several modules, and"
            " without `bypass_duplicate=True` it stands in several groups; here it stands in one"
        )
    ]


def _losses(root: Section, wrapper: Section) -> list[Line]:
    """Settings that belong to the training loop and are not carried over."""
    kept = ("optimizer", "paramwise_cfg", "constructor", "type", "_delete_")
    said = []
    if wrapper.path:
        kind = wrapper.text("type")
        said += [f"`optim_wrapper.type={kind}`"] if kind not in (None, "OptimWrapper") else []
        said += [f"`{wrapper.place(key)}`" for key in wrapper.values if key not in kept]
    beside = ("param_scheduler", "optimizer_config", "lr_config")
    said += [f"`{key}`" for key in beside if root.values.get(key) is not None]
    if not said:
        return []
    return [Line(None, (lost(f"not carried over, the training loop's: {', '.join(said)}"),))]
