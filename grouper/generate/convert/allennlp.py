"""AllenNLP's `parameter_groups`: lists of regexes with options, and a default group for the rest.

A parameter of two groups stops AllenNLP, with its name, as two rules of a split that match one do
here. A regex that matches nothing is a warning there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grouper.generate.convert.converted import (
    Case,
    Converted,
    Line,
    Pattern,
    Remark,
    Table,
    lost,
    note,
)
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.options import FREEZE, sets
from grouper.generate.convert.patterns import regex
from grouper.generate.convert.section import Section, all_sections, the_one
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory

_NAMES = {"huggingface_adamw": "adamw", "averaged_sgd": "asgd", "sparse_adam": "sparseadam"}


def recognises(config: Any) -> bool:
    return any("parameter_groups" in section for section in all_sections(config))


def convert(config: Any, inventory: Inventory | None) -> Converted:
    optimizer = the_one(config, lambda s: "parameter_groups" in s, "`parameter_groups`")
    groups = _groups(optimizer)
    several = optimizer.text("type") == "multi"
    if several:
        lines, name = _several(optimizer), None
    else:
        name = optimizer.text("type") or "adam"
        name = _NAMES.get(name, name)
        lines = optimizer_lines(name, optimizer.without("type", "parameter_groups"))
    labels = Labels()
    cases = tuple(_case(*group, labels, several) for group in groups)
    rest = Case((), labels.of("default"), (), (note("what no regex matches: its default group"),))
    parts = (*lines, *_frozen(config))
    return Converted((*parts, Table("group", (*cases, rest), exclusive=True)))


def _groups(optimizer: Section) -> Iterator[tuple[tuple[str, ...], Section]]:
    value = optimizer.raw("parameter_groups")
    place = optimizer.place("parameter_groups")
    for index, entry in enumerate(value if isinstance(value, list | tuple) else [value]):
        here = f"{place}[{index}]"
        if not (isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[1], dict)):
            raise ConvertError(f"`{here}` is not a pair of regexes and options: [[REGEX], {{...}}]")
        yield Section({"regexes": entry[0]}, here).texts("regexes"), Section(entry[1], here)


def _case(regexes: tuple[str, ...], options: Section, labels: Labels, several: bool) -> Case:
    patterns = tuple(regex(pattern, "search", options.path) for pattern in regexes)
    label = labels.of(regexes[0] if regexes else "group")
    given, remarks = dict(options.without()), []
    trains = given.pop("requires_grad", None)
    if trains is False:
        unused = [key for key in given if key != "name"]
        if unused:
            remarks.append(note(f"ignored there, with a warning: {', '.join(unused)}"))
        return Case(patterns, label, FREEZE, tuple(remarks))
    if trains is not None:
        remarks.append(note("`requires_grad` that is not false does nothing"))
    if several:
        given["optimizer"] = tree.Word(_alias(str(given.pop("name", "default"))))
    return Case(patterns, label, sets(given, options.path), tuple(remarks))


def _several(optimizer: Section) -> list[Line]:
    """The members of a `multi` optimizer, `default` first: groups without a name go there."""
    members = sorted(optimizer.sections("optimizers"), key=lambda m: m.text("name") != "default")
    lines = []
    for member in members:
        kind = member.text("type") or "adam"
        alias = _alias(member.text("name") or "default")
        options = member.without("type", "name")
        lines += optimizer_lines(_NAMES.get(kind, kind), options, alias=alias)
    return lines


def _alias(name: str) -> str:
    return name if name.isidentifier() else f"o_{''.join(c if c.isalnum() else '_' for c in name)}"


def _frozen(config: Any) -> list[Line]:
    """The trainer's `no_grad`, which freezes before any group is made."""
    lines = []
    for section in all_sections(config):
        for pattern in section.texts("no_grad") if "no_grad" in section else ():
            found: Pattern = regex(pattern, "search", section.place("no_grad"))
            lines.append(Line(tree.Rule(found.selector, None, FREEZE)))
    return [*lines, *_losses(config)]


def _losses(config: Any) -> list[Line]:
    keys = ("learning_rate_scheduler", "momentum_scheduler", "grad_norm", "grad_clipping")
    said: list[str] = []
    for section in all_sections(config):
        said += [f"`{section.place(k)}`" for k in keys if section.values.get(k) is not None]
    remark: Remark = lost(f"not carried over, the trainer's: {', '.join(said)}")
    return [Line(None, (remark,))] if said else []
