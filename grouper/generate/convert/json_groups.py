"""A plain list of groups: `[{"pattern": "norm", "weight_decay": 0}, {"params": ["head.*"]}, {}]`.

`params` are names or shell globs, `pattern` is a regex that is searched; the group that has neither
takes the rest. As in torch, no parameter may be in two groups.
"""

from __future__ import annotations

from typing import Any

from grouper.generate.convert.converted import Case, Converted, Line, Pattern, Table, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.options import FREEZE, sets
from grouper.generate.convert.patterns import regex, shell
from grouper.generate.convert.section import Section
from grouper.model.inventory import Inventory

_NAMES = ("name", "label")
_OWN = ("params", "pattern", *_NAMES)
_OTHERS = ("param_str_match", "optimizer_name", "modules", "lr_mult")


def recognises(config: Any) -> bool:
    groups = _list(config)
    return (
        bool(groups)
        and all(
            isinstance(group, dict) and not any(key in group for key in _OTHERS) for group in groups
        )
        and any("params" in group or "pattern" in group for group in groups)
    )


def _list(config: Any) -> list[Any]:
    if isinstance(config, dict):
        config = config.get("param_groups")
    return config if isinstance(config, list) else []


def convert(config: Any, inventory: Inventory | None) -> Converted:
    groups = Section({"groups": _list(config)}).sections("groups")
    if not groups:
        raise ConvertError('it is not a list of groups: [{"pattern": REGEX, "lr": 0.1}, ...]')
    lines = _optimizer(config)
    labels = Labels()
    cases = [_case(group, labels) for group in groups]
    rests = [case for case in cases if case.is_rest]
    if len(rests) > 1:
        raise ConvertError("two groups have neither `params` nor `pattern`: one takes the rest")
    ordered = (*(case for case in cases if not case.is_rest), *rests)
    remarks = () if rests else (note("what no group takes is trained by none: see `check`"),)
    table = Table("group", ordered, exclusive=True, remarks=remarks)
    return Converted((*lines, table))


def _optimizer(config: Any) -> list[Line]:
    section = Section(config) if isinstance(config, dict) else Section({})
    value = section.raw("optimizer")
    if isinstance(value, str):
        return optimizer_lines(value, section.without("optimizer", "param_groups"))
    optimizer = section.section("optimizer")
    if optimizer is None:
        return []
    name = optimizer.text("type") or optimizer.text("name") or ""
    return optimizer_lines(name, optimizer.without("type", "name"))


def _case(group: Section, labels: Labels) -> Case:
    patterns: list[Pattern] = [shell(text) for text in group.texts("params")]
    place = group.place("pattern")
    patterns += [regex(text, "search", place) for text in group.texts("pattern")]
    named = next((group.text(key) for key in _NAMES if key in group), None)
    label = labels.of(named or (patterns[0].written if patterns else "rest"))
    given = group.without(*_OWN)
    if given.get("requires_grad") is False or given.get("freeze") is True:
        return Case(tuple(patterns), label, FREEZE)
    given.pop("requires_grad", None)
    return Case(tuple(patterns), label, sets(given, group.path))
