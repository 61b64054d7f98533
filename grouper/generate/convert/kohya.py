"""kohya's sd-scripts: `network_reg_lrs`, regexes that are searched in names of LoRA modules.

A module's name has no dots, and is the first part of its parameters' names. The first pair that
matches counts, whatever the documentation says. Modules with a rate of 0 are left out of the
optimizer.
"""

from __future__ import annotations

import re
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
from grouper.generate.convert.patterns import regex_selector
from grouper.generate.convert.section import Section, all_sections, the_one
from grouper.language.syntax.parser import parse_selector
from grouper.model.inventory import Inventory
from grouper.text.dataclass import replace

_KEY = "network_reg_lrs"
_CLASSES = {
    "adamw8bit": "bitsandbytes.optim:AdamW8bit",
    "pagedadamw8bit": "bitsandbytes.optim:PagedAdamW8bit",
    "lion": "lion_pytorch:Lion",
    "prodigy": "prodigyopt:Prodigy",
}
_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[.$]", re.DOTALL)  # an escape, a class, . or $
_INSTEAD = {".": "[^.]", "$": r"(?=\.)", r"\Z": r"(?=\.)", r"\.": r"[^\s\S]"}
_TEXT_ENCODERS = ("lora_te1", "lora_te3")
_PLUS = ("loraplus_lr_ratio", "loraplus_unet_lr_ratio", "loraplus_text_encoder_lr_ratio")


def recognises(config: Any) -> bool:
    return any(_pairs_text(section) is not None for section in all_sections(config))


def _pairs_text(section: Section) -> str | None:
    """The pairs, which are under their own name or as an entry of `network_args`."""
    if isinstance(section.values.get(_KEY), str):
        return str(section.values[_KEY])
    return _argument(section, _KEY)


def _argument(section: Section, name: str) -> str | None:
    arguments = section.values.get("network_args")
    for argument in arguments if isinstance(arguments, list) else []:
        key, equals, value = str(argument).partition("=")
        if equals and key.strip() == name:
            return value
    return None


def convert(config: Any, inventory: Inventory | None) -> Converted:
    section = the_one(config, lambda s: _pairs_text(s) is not None, f"`{_KEY}`")
    flat = _flattened(config)
    base = flat.number("learning_rate")
    base = 2e-6 if base is None else base
    unet = flat.number("unet_lr")
    labels = Labels()
    pairs, said = _pairs(_pairs_text(section) or "", section.place(_KEY))
    cases = [_case(pattern, rate, section.place(_KEY), labels) for pattern, rate in pairs]
    cases += _encoders(flat, base, labels)
    cases.append(_rated((), labels.of("unet"), base if unet is None else unet))
    table = Table("part", tuple(cases), remarks=tuple(said))
    return Converted((*_optimizer(flat, base), table, *_plus(section, flat, labels)))


def _flattened(config: Any) -> Section:
    """All settings as sd-scripts sees them, which knows no sections of its TOML."""
    flat: dict[str, Any] = {}
    for section in all_sections(config):
        flat |= {k: v for k, v in section.values.items() if not isinstance(v, dict)}
    return Section(flat)


def _optimizer(flat: Section, base: float) -> list[Line]:
    name = flat.text("optimizer_type") or "AdamW"
    options: dict[str, Any] = {"lr": base}
    said: list[Remark] = []
    for argument in flat.texts("optimizer_args"):
        key, _, value = argument.partition("=")
        try:
            parts = [float(part) for part in value.strip("() ").split(",") if part.strip()]
            options[key.strip()] = parts[0] if len(parts) == 1 else tuple(parts)
        except ValueError:
            said.append(lost(f"`optimizer_args` has `{argument}`, which is not carried over"))
    return optimizer_lines(_CLASSES.get(name.lower(), name), options, *said)


def _pairs(text: str, place: str) -> tuple[list[tuple[str, float]], list[Remark]]:
    """The pairs as they are parsed there: at commas and the first `=`, a repeated regex once."""
    pairs: dict[str, float] = {}
    said = []
    for pair in filter(None, map(str.strip, text.split(","))):
        key, equals, value = pair.partition("=")
        try:
            if not equals:
                raise ValueError
            pairs[key.strip()] = float(value.strip())
        except ValueError:
            said.append(
                note(f"`{pair}` is not `regex=rate` and is left out there, with a warning (commas"
                     " part pairs, inside of a regex, too)")
            )  # fmt: skip
    if not pairs:
        raise ConvertError(f"`{place}` has no pair `regex=rate`")
    return list(pairs.items()), said


def _case(pattern: str, rate: float, place: str, labels: Labels) -> Case:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConvertError(f"`{place}`: `re` does not accept `{pattern}`: {error}") from None
    selector = regex_selector(f"^[^.]*(?:{_undotted(pattern)})", place)
    return _rated((Pattern(pattern, selector),), labels.of(pattern), rate)


def _rated(patterns: tuple[Pattern, ...], label: Any, rate: float) -> Case:
    if rate == 0:
        return Case(patterns, label, FREEZE, (note("a rate of 0: left out of the optimizer"),))
    return Case(patterns, label, sets({"lr": rate}))


def _undotted(pattern: str) -> str:
    """The regex where it may match no dot: within the module's name, which has none."""
    return _PART.sub(lambda found: _bounded(found[0]), pattern)


def _bounded(part: str) -> str:
    if part in _INSTEAD:
        return _INSTEAD[part]
    can_match_dots = part[0] == "[" or part in (r"\W", r"\S", r"\D")
    return rf"(?:(?!\.){part})" if can_match_dots and re.match(part, ".") else part


def _encoders(flat: Section, base: float, labels: Labels) -> Iterator[Case]:
    """The text encoders, CLIP-L and T5, where their rates are not the rest's."""
    given = flat.raw("text_encoder_lr")
    listed = (
        given if isinstance(given, list) and given else [base if given in (None, []) else given]
    )
    rates = (listed * 2)[:2]
    unet = flat.number("unet_lr")
    if given in (None, []) and unet in (None, base):
        return
    for prefix, rate in zip(_TEXT_ENCODERS, rates, strict=True):
        number = Section({"text_encoder_lr": rate}).number("text_encoder_lr") or 0.0
        pattern = Pattern(prefix, parse_selector(f"{prefix}*"))
        yield replace(_rated((pattern,), labels.of(prefix), number), kind=True)


def _plus(section: Section, flat: Section, labels: Labels) -> list[Table]:
    """LoRA+: a multiple of the rate for `lora_up`."""
    ratios = {
        key: float(value)
        for key in _PLUS
        if (value := flat.values.get(key) or _argument(section, key)) is not None
    }
    if not ratios:
        return []
    unet = ratios.get(_PLUS[1]) or ratios.get(_PLUS[0])
    text = ratios.get(_PLUS[2]) or ratios.get(_PLUS[0])
    up = parse_selector("*.lora_up*")
    encoder = parse_selector("{lora_te1,lora_te3}*.lora_up*")
    cases = []
    if text != unet:
        pattern = Pattern("text encoders", encoder)
        cases.append(Case((pattern,), labels.of("plus.text"), times(lr=text), kind=True))
    cases.append(Case((Pattern("lora_up", up),), labels.of("plus"), times(lr=unet)))
    return [Table("plus", (*cases, Case((), labels.of("down"))))]
