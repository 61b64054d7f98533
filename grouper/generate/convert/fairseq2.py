"""fairseq2's optimizer `groups`: the first whose regexes match the beginning of the name counts.

A group that matches nothing is a warning there, and what none matches has the optimizer's options.
Frozen parameters stay in its groups; in grouper's they are in none.
"""

from __future__ import annotations

import re
from typing import Any

from grouper.generate.convert.converted import Case, Converted, Line, Pattern, Table, lost, note
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.options import sets
from grouper.generate.convert.patterns import regex
from grouper.generate.convert.section import Section, all_sections, the_one
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory

# What its AdamWConfig begins with, which is not what torch's AdamW begins with.
_ADAMW = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
_IMPLEMENTATIONS = {"foreach": {"foreach": True}, "fused": {"fused": True}}
_BY_POSITION = ("start_lr", "final_lr", "final_lr_scale")


def recognises(config: Any) -> bool:
    return any(_is_optimizer(section) for section in all_sections(config))


def _is_optimizer(section: Section) -> bool:
    groups = section.values.get("groups")
    return isinstance(groups, list) and all(isinstance(g, dict) and "params" in g for g in groups)


def convert(config: Any, inventory: Inventory | None) -> Converted:
    optimizer = the_one(config, _is_optimizer, "`groups`")
    name = _name(config, optimizer)
    given = {k: v for k, v in optimizer.without("groups", "name", "impl").items() if v != "default"}
    options = {**_ADAMW, **given} if name == "adamw" else given
    options |= _IMPLEMENTATIONS.get(optimizer.text("impl") or "", {})
    labels = Labels()
    names = frozenset(inventory.by_name) if inventory else frozenset()
    cases = [_case(group, labels, names) for group in optimizer.sections("groups")]
    rest = Case((), labels.of("default"), (), (note("what no group matches"),))
    frozen = note("parameters that are frozen stay in fairseq2's groups; here they are in none")
    table = Table("group", (*cases, rest), remarks=(frozen,))
    lines = optimizer_lines(name, options)
    return Converted((*lines, *_by_position(config), table))


def _name(config: Any, optimizer: Section) -> str:
    """`name` is beside `config`, which holds the options and the groups."""
    for section in all_sections(config):
        if section.values.get("config") is optimizer.values:
            return section.text("name") or "adamw"
    return optimizer.text("name") or "adamw"


def _case(group: Section, labels: Labels, names: frozenset[str]) -> Case:
    written = group.texts("params") or (".*",)
    patterns = tuple(_pattern(text, group.place("params"), names) for text in written)
    given = {k: v for k, v in group.without("params").items() if v != "default"}
    return Case(patterns, labels.of(written[0]), sets(given, group.path))


def _pattern(text: str, place: str, names: frozenset[str]) -> Pattern:
    """A name that equals the text matches, too, whatever the regex says."""
    found = regex(text, "match", place)
    if text not in names or re.match(text, text):
        return found
    return Pattern(text, tree.Or((found.selector, tree.Exact(text))))


def _by_position(config: Any) -> list[Line]:
    """Schedulers give lists of rates to groups by their position."""
    said = [
        f"`{section.place(key)}`"
        for section in all_sections(config)
        for key in _BY_POSITION
        if section.values.get(key) is not None
    ]
    beside = isinstance(config, dict) and config.get("lr_scheduler") is not None
    said = said or (["`lr_scheduler`"] if beside else [])
    if not said:
        return []
    return [Line(None, (lost(f"not carried over, the scheduler's: {', '.join(said)}"),))]
