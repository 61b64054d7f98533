"""axolotl's `lr_groups`, `embedding_lr` and `unfrozen_parameters`.

Its trainer asks in this order: embeddings and heads; then, of the parameters that transformers
decays, the first module of `lr_groups` whose name is in the parameter's; then the rest. So biases
and norms of a named module silently keep the full rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from grouper.generate.convert.converted import Case, Converted, Line, Pattern, Table, lost, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.optimizers import optimizer_lines
from grouper.generate.convert.options import FREEZE, sets, times
from grouper.generate.convert.patterns import containing, regex_selector
from grouper.generate.convert.section import Section
from grouper.generate.convert.torch_kinds import classes
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.model.inventory import Inventory

_ASKED = ("lr_groups", "embedding_lr", "embedding_lr_scale", "loraplus_lr_ratio")
# transformers' `get_decay_parameter_names`, which is asked with names in small letters.
_UNDECAYED = r"(?i)bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)"
_CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "adamw_torch": ("AdamW", {}),
    "adamw_torch_fused": ("AdamW", {"fused": True}),
    "adamw_hf": ("AdamW", {}),
    "adafactor": ("transformers.optimization:Adafactor", {}),
    "adamw_bnb_8bit": ("bitsandbytes.optim:AdamW8bit", {}),
    "adamw_8bit": ("bitsandbytes.optim:AdamW8bit", {}),
    "paged_adamw_8bit": ("bitsandbytes.optim:PagedAdamW8bit", {}),
    "paged_adamw_32bit": ("bitsandbytes.optim:PagedAdamW", {}),
    "sgd": ("SGD", {}),
}
_RANGE = re.compile(r"^(.+)\[([0-9]*)(?::([0-9]*))?\]$")


def recognises(config: Any) -> bool:
    return isinstance(config, dict) and any(
        key in config for key in (*_ASKED, "unfrozen_parameters")
    )


def convert(config: Any, inventory: Inventory | None) -> Converted:
    root = Section.of(config)
    rate = root.number("learning_rate")
    if rate is None:
        raise ConvertError("`learning_rate` is missing")
    if root.number("loraplus_lr_ratio") is not None:
        raise ConvertError(
            "`loraplus_lr_ratio` makes axolotl throw `lr_groups` and `embedding_lr` away for peft's"
            " LoRA+ groups: convert the file without it, or write those groups as rules"
        )
    name, options = _optimizer(root)
    groups = any(root.values.get(key) is not None for key in _ASKED)
    lines = optimizer_lines(name, {"lr": rate, **options, "weight_decay": _decay(root)})
    labels = Labels()
    cases = (*(_rates(root, labels) if groups else _plain(labels)), Case((), labels.of("rest")))
    return Converted((*lines, *_unfrozen(root), *_losses(root), Table("part", cases)))


def _decay(root: Section) -> float:
    return root.number("weight_decay") or 0.0


def _optimizer(root: Section) -> tuple[str, dict[str, Any]]:
    given = root.raw("optimizer") or "adamw_torch_fused"
    name, options = _CLASSES.get(str(given), (str(given), {}))
    betas = tuple(root.number(f"adam_beta{n}") or default for n, default in ((1, 0.9), (2, 0.999)))
    if "AdamW" in name:
        epsilon = root.number("adam_epsilon")
        options = {**options, "betas": betas, "eps": 1e-8 if epsilon is None else epsilon}
    return name, dict(options)


def _rates(root: Section, labels: Labels) -> Iterator[Case]:
    scale, own = root.number("embedding_lr_scale"), root.number("embedding_lr")
    rate = times(lr=scale) if scale else sets({"lr": own}) if own else ()
    said = [note("embeddings and heads are not decayed, and are in no group of `lr_groups`")]
    if scale and own:
        said.append(note("`embedding_lr` does nothing beside `embedding_lr_scale`"))
    patterns = (
        containing("embed_tokens"),
        containing("lm_head"),
        Pattern("modules_to_save", parse_selector("*modules_to_save.default.weight")),
    )
    options = (*rate, *sets({"weight_decay": 0.0}))
    yield Case(patterns, labels.of("embeddings"), options, tuple(said), kind=True)
    yield from _plain(labels, named=bool(root.values.get("lr_groups")))
    yield from _groups(root, labels)


def _plain(labels: Labels, named: bool = False) -> Iterator[Case]:
    """What transformers does not decay."""
    patterns = (
        Pattern("norms", tree.Within(classes("LayerNorm"))),
        Pattern("names", regex_selector(_UNDECAYED, "names")),
    )
    said = (note("biases and norms of the modules of `lr_groups` stay here, at the full rate"),)
    options = sets({"weight_decay": 0.0})
    yield Case(patterns, labels.of("undecayed"), options, said if named else (), kind=True)


def _groups(root: Section, labels: Labels) -> Iterator[Case]:
    """A module of two groups goes to the later one, at the place of the earlier."""
    rates: dict[str, float] = {}
    of_module: dict[str, str] = {}
    for group in root.sections("lr_groups"):
        name, rate = group.text("name"), group.number("lr")
        if name is None or rate is None:
            raise ConvertError(f"`{group.path}` needs `name`, `modules` and `lr`")
        rates[name] = rate
        of_module |= dict.fromkeys(group.texts("modules"), name)
    for module, name in of_module.items():
        yield Case((containing(module),), labels.of(f"{name}.{module}"), sets({"lr": rates[name]}))


def _unfrozen(root: Section) -> list[Line]:
    """Everything is frozen except for names that these patterns match at their beginning."""
    kept, said = [], []
    for text in root.texts("unfrozen_parameters"):
        found = _RANGE.match(text)
        if found:
            said.append(lost(f"`{text}` trains some rows only: here it trains all of them"))
        pattern = re.sub(r"\.(?!\+)", r"\\.", found[1] if found else text)
        inside = f"(?:{pattern})" if "|" in pattern else pattern
        anchored = inside if inside.startswith("^") else f"^{inside}"
        kept.append(regex_selector(anchored, "unfrozen_parameters"))
    if not kept:
        return []
    trained = kept[0] if len(kept) == 1 else tree.Or(tuple(kept))
    said.append(note("dots are dots in these patterns, and they begin where the name begins"))
    return [Line(tree.Rule(tree.Not(trained), None, FREEZE), tuple(said))]


def _losses(root: Section) -> list[Line]:
    keys = ("lr_scheduler", "cosine_min_lr_ratio", "warmup_steps", "warmup_ratio", "max_grad_norm")
    said = [f"`{key}`" for key in keys if root.values.get(key) is not None]
    if not said:
        return []
    return [Line(None, (lost(f"not carried over, the trainer's: {', '.join(said)}"),))]
