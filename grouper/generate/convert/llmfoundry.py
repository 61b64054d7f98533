"""llm-foundry's optimizer `param_groups` and `disable_grad`: regexes that are searched in names.

The first group that matches takes a parameter. A group that matches nothing is silently empty. What
`disable_grad` freezes stays in its groups; in grouper's it is in none.
"""

from __future__ import annotations

from typing import Any

from grouper.generate.convert.converted import Case, Converted, Line, Table, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.options import FREEZE, sets
from grouper.generate.convert.patterns import regex
from grouper.generate.convert.section import Section, all_sections, the_one
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory

_CLASSES = {
    "decoupled_adamw": "composer.optim:DecoupledAdamW",
    "decoupled_sgdw": "composer.optim:DecoupledSGDW",
    "decoupled_lionw": "llmfoundry.optim:DecoupledLionW",
    "adalr_lion": "llmfoundry.optim:DecoupledAdaLRLion",
    "clip_lion": "llmfoundry.optim:DecoupledClipLion",
}
_OWN = ("name", "param_groups", "disable_grad")


def recognises(config: Any) -> bool:
    return any(_is_optimizer(section) for section in all_sections(config))


def _is_optimizer(section: Section) -> bool:
    groups = section.values.get("param_groups")
    found = isinstance(groups, list) and any(
        isinstance(group, dict) and "param_str_match" in group for group in groups
    )
    return found or "disable_grad" in section


def convert(config: Any, inventory: Inventory | None) -> Converted:
    optimizer = the_one(config, _is_optimizer, "`param_groups` with `param_str_match`")
    name = optimizer.text("name") or "decoupled_adamw"
    name = _CLASSES.get(name, name)
    labels = Labels()
    cases = [_case(group, labels) for group in optimizer.sections("param_groups")]
    rest = Case((), labels.of("default"), (), (note("what no group matches"),))
    lines = optimizer_lines(name, optimizer.without(*_OWN))
    table = Table("group", (*cases, rest))
    return Converted((*lines, *_frozen(optimizer), table))


def _case(group: Section, labels: Labels) -> Case:
    written = group.text("param_str_match")
    if written is None:
        raise ConvertError(f"`{group.place('param_str_match')}` is missing")
    pattern = regex(written, "search", group.place("param_str_match"))
    return Case((pattern,), labels.of(written), sets(group.without("param_str_match"), group.path))


def _frozen(optimizer: Section) -> list[Line]:
    remark = note("frozen by disable_grad; there it stays in its group, without a gradient")
    return [
        Line(
            tree.Rule(
                regex(text, "search", optimizer.place("disable_grad")).selector, None, FREEZE
            ),
            (remark,),
        )
        for text in optimizer.texts("disable_grad")
    ]
