"""From a configuration file to a rules file, and what is wrong with it for a model."""

from __future__ import annotations

import os

from grouper.api.check import check, check_rules
from grouper.api.rules import parse
from grouper.checks.report import Report
from grouper.generate.convert.converted import Converted, lost, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.fit import fitted
from grouper.generate.convert.read_config import read_config
from grouper.generate.convert.section import part_at
from grouper.generate.convert.systems import system_of
from grouper.generate.convert.unread import without_unread
from grouper.generate.convert.write import text_of
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass, replace


@dataclass(frozen=True)
class Conversion:
    """The text of the rules, what they do not carry over, and their report on the model."""

    system: str
    text: str
    lost: tuple[str, ...]
    report: Report


def convert_file(
    path: str,
    system: str | None = None,
    inventory: Inventory | None = None,
    at: str | None = None,
) -> Conversion:
    """Rules that give a model the groups that the system gives it.

    `system` is one of `SYSTEMS`, where the file's keys do not show it; `at` names a part of the
    file, where several would do. With a model the rules are
    exact for it, and without one they say what only a model tells. Raises ConvertError for a file
    that cannot be read, is of no known system, or would not build there; OSError where it cannot be
    opened.
    """
    config, unread = read_config(path)
    try:
        config = config if at is None else part_at(config, at)
        found = system_of(config, system)
        converted = without_unread(found.convert(config, inventory))
    except ConvertError as error:
        raise ConvertError("; ".join((str(error), *unread))) from None
    if inventory is not None:
        converted = fitted(converted, inventory, found.name, found.on_dead)
    converted = _headed(converted, path, found.name, unread, inventory)
    text = text_of(converted)
    rules = parse(text, "<converted>")
    report = check_rules(rules) if inventory is None else check(inventory, rules)
    return Conversion(found.name, text, converted.lost, report)


def _headed(
    converted: Converted,
    path: str,
    system: str,
    unread: tuple[str, ...],
    inventory: Inventory | None,
) -> Converted:
    for_model = f", for {inventory.path}" if inventory is not None else ""
    head = note(f"Converted from {os.path.basename(path)} ({system}){for_model}.")
    return replace(converted, remarks=(head, *map(lost, unread), *converted.remarks))
