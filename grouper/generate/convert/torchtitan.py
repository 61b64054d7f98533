"""torchtitan's `ParamGroupConfig`s, and the optimizer configs with a pattern that followed them.

The first regex that is found in the name counts. Each group has its optimizer and all of its
options: nothing is inherited. A pattern without a parameter, and a parameter without a pattern,
stop torchtitan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grouper.generate.convert.converted import Case, Converted, Line, Table, lost
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import class_name, optimizer_lines
from grouper.generate.convert.options import sets
from grouper.generate.convert.patterns import regex
from grouper.generate.convert.section import TARGET, Section, all_sections, the_one
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory
from grouper.options.values import same

_IMPLEMENTATIONS: Mapping[str, Mapping[str, Any]] = {
    "fused": {"fused": True, "foreach": False},
    "fused_opt_states_bf16": {"fused": True, "foreach": False},
    "foreach": {"fused": False, "foreach": True},
    "for-loop": {"fused": False, "foreach": False},
}
# Classes that are not torch's, by the names that groups give them.
_OWN_CLASSES = {"DistMuon": "torchtitan.components.optimizer:DistMuon"}
# What its own configs of optimizers begin with (those with a `pattern` of their own).
_BEGINNINGS: Mapping[str, Mapping[str, Any]] = {
    "Adam": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
    "AdamW": {"lr": 8e-4, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1},
}


def recognises(config: Any) -> bool:
    return any(_entries(section) for section in all_sections(config))


def _entries(section: Section) -> tuple[Section, ...]:
    """The groups of a container, of either form."""
    for key, mark in (("param_groups", "optimizer_name"), ("optimizers", "pattern")):
        value = section.values.get(key)
        entries = value if isinstance(value, list | tuple) else ()
        if entries and all(isinstance(entry, dict) and mark in entry for entry in entries):
            return section.sections(key)
    return ()


def convert(config: Any, inventory: Inventory | None) -> Converted:
    what = "`param_groups` with `optimizer_name`"
    container = the_one(config, lambda s: bool(_entries(s)), what)
    groups = [_group(entry, container) for entry in _entries(container)]
    shared = {name: _shared([o for n, _, o in groups if n == name]) for name, _, _ in groups}
    labels = Labels()
    several = len(shared) > 1
    cases = [
        _case(entry, name, _own(options, shared[name]), labels, several=several)
        for name, entry, options in groups
    ]
    if cases and cases[-1].patterns[0].written in (".*", "", ".+"):
        cases[-1] = Case((), cases[-1].label, cases[-1].options, cases[-1].remarks)
    lines = [line for name in shared for line in _optimizer(name, shared[name])]
    states = container.text("implementation") == "fused_opt_states_bf16"
    said = (
        Line(None, (lost("moments in bfloat16 (fused_opt_states_bf16) are not carried over"),)),
    )
    return Converted(
        (
            *lines,
            *(said if states else ()),
            Table("group", tuple(cases)),
        )
    )


def _optimizer(name: str, options: Mapping[str, Any]) -> list[Line]:
    own = _OWN_CLASSES.get(name)
    if own is None and class_name(name) is None:
        raise ConvertError(
            f"`{name}` is not an optimizer of torch.optim, and none that is known here"
        )
    return optimizer_lines(own or name, options, alias=name if own else None)


def _group(entry: Section, container: Section) -> tuple[str, Section, dict[str, Any]]:
    """A group's optimizer, where it is, and all of its options."""
    if "optimizer_name" in entry:
        name = entry.text("optimizer_name") or ""
        own = entry.section("optimizer_kwargs") or Section({})
        mode = _IMPLEMENTATIONS.get(container.text("implementation") or "", {})
        options = {**mode, **own.without(TARGET)}
    else:
        name = str(entry.raw(TARGET) or "AdamW").removesuffix(".Config").rpartition(".")[2]
        options = {**_BEGINNINGS.get(name, {}), **entry.without(TARGET, "pattern")}
        options.pop("moment_dtype", None)
    return name, entry, options


def _shared(several: list[dict[str, Any]]) -> dict[str, Any]:
    """The options on which all groups of an optimizer agree."""
    first, *others = several
    return {
        key: value
        for key, value in first.items()
        if all(key in other and _same(other[key], value) for other in others)
    }


def _same(left: Any, right: Any) -> bool:
    plain = [tuple(v) if isinstance(v, list) else v for v in (left, right)]
    return same(plain[0], plain[1])


def _own(options: Mapping[str, Any], shared: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in shared}


def _case(
    entry: Section, name: str, options: dict[str, Any], labels: Labels, *, several: bool
) -> Case:
    written = entry.text("pattern")
    if written is None:
        raise ConvertError(f"`{entry.place('pattern')}` is missing")
    pattern = regex(written, "search", entry.place("pattern"))
    if several:
        options["optimizer"] = tree.Word(name if name in _OWN_CLASSES else class_name(name) or name)
    return Case((pattern,), labels.of(written), sets(options, entry.path))
