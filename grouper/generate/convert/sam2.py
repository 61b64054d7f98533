"""SAM 2's `options`: for each option of the optimizer its schedulers, with the parameters of each.

Groups are the product of the options' tables. A parameter that two entries take, a glob or a class
that takes none, and two entries without either stop SAM 2. Classes are exact there: what derives
from `LayerNorm` is none. Frozen parameters stay in its groups; in grouper's they are in none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grouper.generate.convert.converted import (
    Case,
    Converted,
    Line,
    Part,
    Pattern,
    Remark,
    Table,
    lost,
    note,
)
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.patterns import shell
from grouper.generate.convert.sam2_layers import layer_tables
from grouper.generate.convert.sam2_schedules import Curve, curve_of, said_by_file
from grouper.generate.convert.section import TARGET, Section, all_sections, the_one
from grouper.generate.convert.torch_kinds import exact_class
from grouper.language.syntax.keywords import KEYWORDS
from grouper.model.inventory import Inventory


def recognises(config: Any) -> bool:
    return any(_is_optim(section) for section in all_sections(config))


def _is_optim(section: Section) -> bool:
    options = section.values.get("options")
    lists = list(options.values()) if isinstance(options, dict) else []
    entries = [entry for some in lists if isinstance(some, list) for entry in some]
    return bool(entries) and all(isinstance(e, dict) and "scheduler" in e for e in entries)


def convert(config: Any, inventory: Inventory | None) -> Converted:
    optim = the_one(config, _is_optim, "`options` with a `scheduler` each")
    optimizer = optim.section("optimizer") or Section({})
    name = str(optimizer.values.get(TARGET, "torch.optim.AdamW"))
    lines = optimizer_lines(name, optimizer.without(TARGET, "_partial_"))
    options, labels = optim.needed("options"), Labels()
    tables: list[Part] = []
    for option in options.values:
        if not option.isidentifier() or option in KEYWORDS:
            raise ConvertError(f"`{options.place(option)}` is not an option of an optimizer")
        entries = options.sections(option)
        curves = [curve_of(entry.needed("scheduler")) for entry in entries]
        statements, together = said_by_file(option, curves)
        lines += statements
        rows = zip(entries, curves, strict=True)
        cases = [_case(option, *row, labels, inventory, together) for row in rows]
        tables.append(_table(option, cases, labels))
    tables += layer_tables(optim, labels)
    frozen = note("parameters that are frozen stay in SAM 2's groups; here they are in none")
    return Converted((*lines, *_losses(optim), Line(None, (frozen,)), *tables))


def _table(option: str, cases: list[Case], labels: Labels) -> Table:
    rests = [case for case in cases if case.is_rest]
    if len(rests) > 1:
        raise ConvertError(f"`options.{option}` has two entries for the rest, and SAM 2 takes one")
    if not rests:
        said = (note(f"what no entry takes has the optimizer's own {option}"),)
        rests = [Case((), labels.of(f"{option}.rest"), (), said)]
    return Table(option, (*(c for c in cases if not c.is_rest), *rests), exclusive=True)


def _case(
    option: str,
    entry: Section,
    curve: Curve,
    labels: Labels,
    inventory: Inventory | None,
    together: bool,
) -> Case:
    names = entry.texts("param_names")
    classes = entry.texts("module_cls_names")
    patterns = [shell(name) for name in names]
    said: list[Remark] = [*curve.remarks]
    for cls in classes:
        selector, derived = exact_class(cls, inventory)
        patterns.append(Pattern(cls, selector))
        if derived:
            said.append(note(f"SAM 2 takes `{cls}` alone, not what derives from it"))
    written = names[0].strip("*.") if names else classes[0] if classes else "base"
    label = labels.of(f"{option}.{written}")
    return Case(tuple(patterns), label, curve.options(option, together), tuple(said))


def _losses(optim: Section) -> Iterator[Line]:
    said = [f"`{optim.place(k)}`" for k in ("gradient_clip", "amp") if optim.values.get(k)]
    if said:
        yield Line(None, (lost(f"not carried over, the trainer's: {', '.join(said)}"),))
