"""detectron2's SOLVER settings and the `overrides` of its `get_default_optimizer_params`.

The settings are BASE_LR, BIAS_LR_FACTOR, WEIGHT_DECAY_NORM and WEIGHT_DECAY_BIAS. An override
applies to parameters whose last part of the name is exactly its key, and replaces the settings for
norms: a bias of a norm has the decay of biases. An override that matches nothing is not noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grouper.generate.convert.converted import Case, Converted, Line, Pattern, Table, lost, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.options import sets
from grouper.generate.convert.patterns import owned
from grouper.generate.convert.section import TARGET, Section, all_sections, the_one
from grouper.generate.convert.torch_kinds import both, classes
from grouper.model.inventory import Inventory

_NORM = classes(
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "GroupNorm",
    "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LayerNorm",
)  # fmt: skip
_PARAMS = "get_default_optimizer_params"
_DEFAULTS = {"lr": 0.001, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0001}
_SOLVER = {"lr": "BASE_LR", "momentum": "MOMENTUM", "weight_decay": "WEIGHT_DECAY"}
_READ = ("BASE_LR", "MOMENTUM", "NESTEROV", "WEIGHT_DECAY", "WEIGHT_DECAY_NORM",
         "WEIGHT_DECAY_BIAS", "BIAS_LR_FACTOR")  # fmt: skip


def recognises(config: Any) -> bool:
    solver = isinstance(config, dict) and isinstance(config.get("SOLVER"), dict)
    return solver or any(map(_is_lazy, all_sections(config)))


def _is_lazy(section: Section) -> bool:
    """Whether it is an optimizer of a lazy configuration, whose `params` are that function's."""
    params = section.values.get("params")
    return isinstance(params, dict) and str(params.get(TARGET, "")).endswith(_PARAMS)


def convert(config: Any, inventory: Inventory | None) -> Converted:
    if any(map(_is_lazy, all_sections(config))):
        lines, given = _of_lazy(the_one(config, _is_lazy, f"`{_PARAMS}`"))
    else:
        lines, given = _of_solver(Section.of(config).needed("SOLVER"))
    labels = Labels()
    cases = (*_cases(given, labels), Case((), labels.of("rest")))
    return Converted((*lines, Table("part", cases)))


def _of_solver(solver: Section) -> tuple[list[Line], Section]:
    options: dict[str, Any] = {}
    for key, word in _SOLVER.items():
        number = solver.number(word)
        options[key] = _DEFAULTS[key] if number is None else number
    options["nesterov"] = bool(solver.raw("NESTEROV"))
    norm = solver.number("WEIGHT_DECAY_NORM") if "WEIGHT_DECAY_NORM" in solver else 0.0
    given = {
        "base_lr": options["lr"],
        "weight_decay_norm": norm,
        "bias_lr_factor": solver.number("BIAS_LR_FACTOR"),
        "weight_decay_bias": solver.number("WEIGHT_DECAY_BIAS"),
        "overrides": solver.raw("overrides"),
    }
    beside = [f"`{solver.place(key)}`" for key in solver.values if key not in (*_READ, "overrides")]
    lines = optimizer_lines("SGD", options)
    if beside:
        remark = lost(f"not carried over, the training loop's: {', '.join(beside)}")
        lines.append(Line(None, (remark,)))
    return lines, Section(given, solver.path)


def _of_lazy(optimizer: Section) -> tuple[list[Line], Section]:
    params = optimizer.needed("params")
    options = optimizer.without("params", TARGET)
    own = {k: params.number(k) for k in ("base_lr", "weight_decay")}
    options |= {
        key: own[word]
        for key, word in (("lr", "base_lr"), ("weight_decay", "weight_decay"))
        if own[word] is not None
    }
    return optimizer_lines(str(optimizer.raw(TARGET)), options), params


def _cases(given: Section, labels: Labels) -> Iterator[Case]:
    """Overrides that leave the decay open come twice: for norms, and for the rest."""
    norm = given.number("weight_decay_norm")
    overrides = _overrides(given)
    for name, options in overrides.items():
        selector, remark = (
            owned(name),
            note(f"what is called `{name}`, and nothing that only ends so"),
        )
        if norm is not None and "weight_decay" not in options:
            both_options = sets({"weight_decay": norm, **options}, given.path)
            pattern = Pattern(name, both(_NORM, selector))
            yield Case((pattern,), labels.of(f"norm.{name}"), both_options, kind=True)
        in_norms = norm is not None and "weight_decay" in options
        said = (remark, *([note("in norms, too: it is laid over their decay")] if in_norms else []))
        options_of = sets(options, given.path)
        yield Case((Pattern(name, selector),), labels.of(name), options_of, said, name == "bias")
    if norm is not None:
        options_of = sets({"weight_decay": norm})
        yield Case((Pattern("norm", _NORM),), labels.of("norm"), options_of, kind=True)


def _overrides(given: Section) -> Mapping[str, Mapping[str, Any]]:
    section = given.section("overrides") or Section({}, given.place("overrides"))
    overrides: dict[str, Mapping[str, Any]] = {
        name: (section.section(name) or Section({})).without() for name in section.values
    }
    bias: dict[str, Any] = {}
    factor, decay = given.number("bias_lr_factor"), given.number("weight_decay_bias")
    if factor is not None and factor != 1.0:
        base = given.number("base_lr")
        if base is None:
            raise ConvertError(f"`{given.place('base_lr')}` is missing: `bias_lr_factor` needs it")
        bias["lr"] = base * factor
    if decay is not None:
        bias["weight_decay"] = decay
    if bias and "bias" in overrides:
        raise ConvertError(f"`{section.place('bias')}`: `Conflicting overrides for 'bias'` there")
    return {**overrides, **({"bias": bias} if bias else {})}
