"""big_vision's `lr_mults`, `wd_mults` and `schedule`: three tables, in each the first regex counts.

A regex matches whole names. `None` in `schedule` freezes. A parameter that no regex of `lr_mults`
matches has the full rate; one that none of `wd_mults` matches is silently not decayed. Its decay is
not multiplied by the rate as AdamW's is: `lr * weight_decay` is the same here.
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
from grouper.generate.convert.options import FREEZE, sets, times
from grouper.generate.convert.patterns import regex
from grouper.generate.convert.section import Section, all_sections, the_one
from grouper.generate.convert.torch_kinds import both
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory

_MARKS = ("lr_mults", "wd_mults", "optax_name")
_KERNELS = ((".*/kernel$", 1.0),)  # what is decayed where `wd_mults` is not given
_MATRIX = tree.Comparison(tree.Word("ndim"), ">=", tree.Number(2))
_NAMES = (
    "names are big_vision's with `/` as `.`; a `kernel` at the end of a regex is a `weight` of two"
    " dimensions or more, `scale` a `weight` of one: check the names of your model"
)


def recognises(config: Any) -> bool:
    return any(_has_marks(section) for section in all_sections(config))


def _has_marks(section: Section) -> bool:
    return any(mark in section for mark in _MARKS)


def convert(config: Any, inventory: Inventory | None) -> Converted:
    section = the_one(config, _has_marks, "`lr_mults`, `wd_mults` or `optax_name`")
    rate, decay = section.number("lr"), section.number("wd") or 0.0
    if rate is None or rate <= 0:
        raise ConvertError(f"`{section.place('lr')}` is missing, or not above 0")
    labels = Labels()
    tables = [*_schedule(section, labels), *_rates(section, labels, bool(decay))]
    if decay:
        tables.append(_decays(section, labels))
    return Converted((*_optimizer(section, rate, decay), Line(None, (lost(_NAMES),)), *tables))


def _optimizer(section: Section, rate: float, decay: float) -> list[Line]:
    name = section.text("optax_name") or "scale_by_adam"
    optax = section.section("optax") or Section({}, section.place("optax"))
    numbers = {key: optax.number(key) for key in ("b1", "b2", "eps")}
    given = {"lr": rate, "weight_decay": decay / rate}
    said: list[Remark] = []
    if name != "scale_by_adam":
        said.append(lost(f"`{name}` is optax's: this is AdamW, whose decay is decoupled as well"))
    elif numbers["b1"] is not None or numbers["b2"] is not None:
        first, second = numbers["b1"], numbers["b2"]
        given["betas"] = (0.9 if first is None else first, 0.999 if second is None else second)  # type: ignore[assignment]
    if numbers["eps"] is not None:
        given["eps"] = numbers["eps"]
    rest = [f"`{optax.place(key)}`" for key in optax.values if key not in numbers]
    rest += ["`grad_clip_norm`"] if section.values.get("grad_clip_norm") else []
    if rest:
        said.append(lost(f"not carried over: {', '.join(rest)}"))
    if decay:
        said.append(note("the decay divided by the rate: AdamW multiplies them"))
    return optimizer_lines("AdamW", given, *said)


def _pairs(section: Section, key: str) -> Iterator[tuple[str, Any, str]]:
    value = section.raw(key)
    for index, pair in enumerate(value if isinstance(value, list | tuple) else ()):
        place = f"{section.place(key)}[{index}]"
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ConvertError(f"`{place}` is not a pair of a regex and a value")
        yield pair[0], pair[1], place


def _schedule(section: Section, labels: Labels) -> list[Table]:
    """The frozen parameters. The last regex that matches everything is the rest of the table."""
    pairs = list(_pairs(section, "schedule"))
    if not pairs:
        return []
    cases = []
    for written, value, place in pairs:
        said = () if value is None else (lost(f"not carried over: the schedule of `{written}`"),)
        patterns = () if written == ".*" and pairs[-1][0] == written else (_named(written, place),)
        label = labels.of("trained" if not patterns else f"when.{written}")
        cases.append(Case(patterns, label, FREEZE if value is None else (), said))
    if not cases[-1].is_rest:
        cases[-1] = cases[-1].remarked(note("a parameter that no regex matches stops big_vision"))
    return [Table("schedule", tuple(cases))]


def _rates(section: Section, labels: Labels, decayed: bool) -> list[Table]:
    cases = []
    for written, factor, place in _pairs(section, "lr_mults"):
        number = Section({"mult": factor}, place).number("mult")
        if number is None or number <= 0:
            raise ConvertError(f"`{place}`: {factor} is not a multiplier; freeze with `schedule`")
        back = tree.Binary("/", tree.Number(1), tree.Number(number)) if number != 1 else None
        options = times(lr=number, weight_decay=back if decayed else None)
        cases.append(Case((_named(written, place),), labels.of(f"rate.{written}"), options))
    if not cases:
        return []
    said = (note("the decay does not follow the rate"),) if decayed else ()
    rest = Case((), labels.of("full"), (), (note("what no regex matches has the full rate"),))
    return [Table("rate", (*cases, rest), remarks=said)]


def _decays(section: Section, labels: Labels) -> Table:
    given = list(_pairs(section, "wd_mults")) if "wd_mults" in section else [
        (*pair, section.place("wd_mults")) for pair in _KERNELS
    ]  # fmt: skip
    cases = []
    for written, factor, place in given:
        number = Section({"mult": factor}, place).number("mult")
        options = times(weight_decay=number)
        cases.append(Case((_named(written, place),), labels.of(f"decay.{written}"), options))
    said = (note("what no regex matches is not decayed"),)
    rest = Case((), labels.of("undecayed"), sets({"weight_decay": 0.0}), said)
    return Table("decay", (*cases, rest))


def _named(written: str, place: str) -> Pattern:
    """A regex over flax's names as a selector over torch's."""
    text = written.replace("/", r"\.")
    for word, selector in (("kernel", _MATRIX), ("scale", tree.Not(_MATRIX))):
        for end in (f"{word}$", word):
            if text.endswith(end):
                found = regex(f"{text.removesuffix(end)}weight", "fullmatch", place)
                return Pattern(written, both(found.selector, selector))
    text = text.replace("kernel", "weight").replace("scale", "weight")
    return Pattern(written, regex(text, "fullmatch", place).selector)
