"""OLMo-core's `group_overrides`: globs of names with options, and a default group for the rest.

A pattern that matches nothing stops OLMo-core. So does a parameter of two overrides, by torch's own
error, as two rules of a split that match one do here. Its Muon and Dion refuse overrides.
"""

from __future__ import annotations

from typing import Any

from grouper.generate.convert.converted import Case, Converted, Remark, Table, lost, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.options import sets
from grouper.generate.convert.patterns import shell
from grouper.generate.convert.section import TARGET, Section, all_sections, the_one
from grouper.model.inventory import Inventory

_CLASS_KEYS = (TARGET, "_CLASS_", "_target_", "type", "name")
_OWN = ("group_overrides", "compile", "fixed_fields", *_CLASS_KEYS)
_REFUSE = ("Muon", "Dion", "NorMuon")
_SKIPPING = ("rolling_interval_length", "sigma_factor", "step_increment_bugfix", "dtype")


def recognises(config: Any) -> bool:
    return any("group_overrides" in section for section in all_sections(config))


def convert(config: Any, inventory: Inventory | None) -> Converted:
    optimizer = the_one(config, lambda s: "group_overrides" in s, "`group_overrides`")
    cls = next((str(optimizer.raw(k)) for k in _CLASS_KEYS if k in optimizer), "AdamWConfig")
    cls = cls.replace(":", ".").rpartition(".")[2].removesuffix("Config")
    if cls in _REFUSE:
        raise ConvertError(f"`{cls}` refuses `group_overrides` in OLMo-core, so they mean nothing")
    name = "AdamW" if cls.endswith("AdamW") else cls
    skips = cls.startswith("SkipStep")
    remarks = [lost(f"`{cls}` leaves out steps whose loss is far off; this is torch's {name}")]
    dropped = _SKIPPING if skips else ()
    lines = optimizer_lines(
        name, optimizer.without(*_OWN, *dropped), *(remarks if cls != name else [])
    )
    labels = Labels()
    cases = [_case(override, labels) for override in optimizer.sections("group_overrides")]
    rest = Case((), labels.of("default"), (), (note("what no override matches"),))
    return Converted((*lines, Table("group", (*cases, rest), exclusive=True)))


def _case(override: Section, labels: Labels) -> Case:
    written = override.texts("params")
    if not written:
        raise ConvertError(f"`{override.place('params')}` is missing")
    options = override.section("opts") or Section({}, override.place("opts"))
    said: list[Remark] = []
    if len(written) > 1:
        said = [note("a parameter of two of these globs would be stepped twice there")]
    patterns = tuple(shell(text) for text in written)
    given = sets(options.without(), options.path)
    return Case(patterns, labels.of(written[0]), given, tuple(said))
