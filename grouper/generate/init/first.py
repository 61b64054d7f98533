"""The first rules file for a model: commented, and without a finding on that model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.api.check import check
from grouper.api.rules import parse
from grouper.generate.init.heads import Head, head_of, trained_of
from grouper.generate.init.kinds import ADAPTERS, YOLO, Recipe, recipe_for
from grouper.generate.init.spared import LISTED, spared_selectors
from grouper.generate.init.text import Use, canonical, comment, header
from grouper.model.inventory import Inventory
from grouper.text.findings import Severity

_SERIOUS = {Severity.ERROR: 100, Severity.WARNING: 10, Severity.NOTE: 1}


def first_rules(inventory: Inventory, use: Use) -> str:
    """The text of rules for a model: the fullest text about which `check` has nothing to say.

    Raises ValueError where nothing of the model trains.
    """
    if not trained_of(inventory):
        what = (
            "all of its parameters are frozen" if inventory.parameters else "it has no parameters"
        )
        raise ValueError(f"there is nothing to train in `{inventory.path}`: {what}")
    recipe, head = recipe_for(inventory), head_of(inventory)
    spared = spared_selectors(inventory)
    candidates = [(head, spared), (None, spared), (head, spared[:1]), (None, spared[:1])]
    best, least = "", None
    for of_head, of_decay in candidates:
        text = canonical("\n".join(_lines(inventory, use, recipe, of_head, of_decay)))
        weight = _weight(inventory, text)
        if least is None or weight < least:
            best, least = text, weight
        if not least:
            break
    return best


def _weight(inventory: Inventory, text: str) -> int:
    """How much `check` finds in the rules; what every report on the model says is not theirs."""
    said = {finding.message for finding in inventory.findings}
    found = check(inventory, parse(text)).findings
    return sum(_SERIOUS[f.severity] for f in found if f.message not in said)


def _lines(
    inventory: Inventory, use: Use, recipe: Recipe, head: Head | None, spared: Sequence[str]
) -> Iterator[str]:
    if recipe is ADAPTERS:
        head, spared = None, ()
    yield from header(inventory, use)
    decays = any(p.ndim is None or p.ndim > 1 for p in trained_of(inventory))
    yield from _lets(recipe, head, decays=decays or recipe is ADAPTERS)
    yield ""
    yield from _training(recipe)
    yield ""
    if recipe is YOLO and _counts_without_learning(inventory):
        yield from comment(
            "DFL turns distributions into distances; its weights are fixed (0, 1, 2, ...)."
        )
        yield "in @DFL -> freeze"
        yield ""
    if recipe is ADAPTERS:
        yield from _adapters(inventory)
        return
    if head is not None:
        yield from _parts(head)
    yield from _decays(inventory, recipe, spared, alone=head is None)
    if recipe is YOLO and head is not None:
        yield from comment("A new head's biases start high, so that they settle first.")
        yield f"{head.selector} and *.bias -> warmup_start=0.1"


def _lets(recipe: Recipe, head: Head | None, *, decays: bool) -> Iterator[str]:
    yield from comment("Numbers to try: `--set base=...` changes one without touching the file.")
    for name, value, about in recipe.lets:
        if name == "base" and head is not None:
            about = "the head's learning rate"
        if name != "decay" or decays:
            yield f"let {name} = {value}  # {about}"
        if name == "base" and head is not None:
            yield f"let body = {recipe.body}  # the body's, as a fraction of it; 1 from scratch"


def _training(recipe: Recipe) -> Iterator[str]:
    optimizer, *others = recipe.statements.splitlines()
    yield optimizer
    yield from others


def _parts(head: Head) -> Iterator[str]:
    yield from comment(
        f"The head is {head.words}. When a trained model is fine-tuned it is new, and learns"
        " faster than the body, which knows something already."
    )
    yield "split part {"
    yield f"{head.selector} -> head"
    yield "else -> body lr*=body"
    yield "}"


def _decays(
    inventory: Inventory, recipe: Recipe, spared: Sequence[str], *, alone: bool
) -> Iterator[str]:
    trained = trained_of(inventory)
    if not spared:
        yield from comment("Nothing here is a bias or a norm: everything is decayed.")
        yield "* -> weight weight_decay=decay" if alone else "* -> weight_decay=decay"
        return
    yield from comment(_why(spared))
    if all(p.ndim is not None and p.ndim <= 1 for p in trained):
        yield "* -> no_decay weight_decay=0" if alone else "* -> weight_decay=0"
        return
    yield "split kind {"
    yield f"{' or '.join(spared)} -> no_decay weight_decay=0"
    yield "else -> decay weight_decay=decay"
    yield "}"


def _why(spared: Sequence[str]) -> str:
    words = []
    if "ndim <= 1" in spared:
        words.append("Biases and the scales of norms are vectors (`ndim <= 1`).")
    words.append(
        "Decay keeps weights small; of a norm's scale or a bias that only undoes what they learn."
    )
    if f"has {LISTED}" in spared:
        words.append(f"The model lists more of them in its `{LISTED}()`.")
    return " ".join(words)


def _adapters(inventory: Inventory) -> Iterator[str]:
    adapters = [p for p in inventory.parameters if "lora_" in p.name]
    trained = trained_of(inventory)
    yield from comment("What the model has frozen itself, its base, needs no rule.")
    if not adapters:
        yield "* -> adapter"
        return
    yield "*lora_* -> adapter"
    if len([p for p in trained if "lora_" in p.name]) < len(trained):
        yield from comment("A new head, biases: what else was chosen to train.")
        yield "else -> beside"


def _counts_without_learning(inventory: Inventory) -> bool:
    paths = {p for p, m in (inventory.modules or {}).items() if m.cls.endswith(".DFL")}
    trained = trained_of(inventory)
    return any(p.name.startswith(f"{path}.") for p in trained for path in paths)
