"""Rules that give exactly the groups that an optimizer has, in as few words as it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.generate.init.atoms import atoms_of
from grouper.generate.init.describe import describe, listed
from grouper.generate.init.labels import Labels
from grouper.generate.init.settings import GroupToWrite, Settings, settings_of, written
from grouper.generate.init.splits import SplitText, Writer
from grouper.generate.init.text import Use, canonical, comment, header
from grouper.generate.init.unlike import unlike
from grouper.group.optimizer_groups import OptimizerGroups
from grouper.language.syntax.unparse import options_text, statement_text
from grouper.model.inventory import Inventory
from grouper.text.dataclass import replace
from grouper.text.fold import folded_list
from grouper.text.printable import count_phrase, quoted

_MOST_SHOWN = 4  # patterns of names in a comment


def rules_of(inventory: Inventory, optimizers: Sequence[OptimizerGroups], use: Use) -> str:
    """The text of rules that form the groups of an optimizer, or of several at once.

    Raises ValueError where no rules can: a parameter is in two groups, or there are none.
    """
    settings = settings_of(optimizers)
    inventory, remarks, groups, masks = _on_model(inventory, settings)
    if not groups:
        raise ValueError("the optimizer has no group with a parameter of this model that trains")
    settings = replace(settings, groups=tuple(groups), remarks=(*settings.remarks, *remarks))
    writer = Writer(inventory, atoms_of(inventory), Labels(inventory))
    untrained = _untrained(inventory, masks)
    freezing = _freezing(writer, untrained, masks)
    for splits in _attempts(writer, groups, masks):
        text = canonical("\n".join(_lines(inventory, use, settings, freezing, splits)))
        if unlike(text, inventory, groups) is None:
            return text
    reason = unlike(text, inventory, groups)
    raise ValueError(f"no rules were found that give these groups: {reason}")


def _attempts(
    writer: Writer, groups: Sequence[GroupToWrite], masks: Sequence[int]
) -> Iterator[list[SplitText]]:
    """What is read best, and then what cannot go wrong: the names themselves."""
    if len(groups) == 1:
        writer.forget()
        label = writer.labels.single(groups[0].given)
        yield [SplitText("", [f"* -> {label} {options_text(written(groups[0].own))}".rstrip()])]
        return
    yield writer.splits(groups, masks)
    by_name = SplitText("kind")
    for number, (group, mask) in enumerate(zip(groups, masks, strict=True)):
        selector = listed(mask, writer.inventory).text
        by_name.lines.append(
            f"{selector} -> group{number} {options_text(written(group.own))}".rstrip()
        )
    yield [by_name]


def _on_model(
    inventory: Inventory, settings: Settings
) -> tuple[Inventory, list[str], list[GroupToWrite], list[int]]:
    """The groups with sets of parameters, as bits, without what the model has frozen."""
    places = {name: i for i, p in enumerate(inventory.parameters) for name in p.names}
    remarks, groups, masks, seen, frozen = [], [], [], 0, []
    for group in settings.groups:
        mask = 0
        for name in group.parameters:
            place = places[name]
            if inventory.parameters[place].trainable is False:
                frozen.append(name)
            else:
                mask |= 1 << place
        if mask & seen:
            raise ValueError("a parameter is in two groups of the optimizer, or in one twice")
        seen |= mask
        if mask:
            groups.append(group)
            masks.append(mask)
    if frozen:
        remarks.append(
            f"The model has frozen {count_phrase(frozen)} that the optimizer has in its groups:"
            f" {folded_list(frozen, _MOST_SHOWN)}. Here they are in none."
        )
    return inventory, remarks, groups, masks


def _untrained(inventory: Inventory, masks: Sequence[int]) -> int:
    """The parameters that could train and are in no group."""
    grouped = 0
    for mask in masks:
        grouped |= mask
    trained = sum(1 << i for i, p in enumerate(inventory.parameters) if p.trainable is not False)
    return trained & ~grouped


def _freezing(writer: Writer, untrained: int, masks: Sequence[int]) -> list[str]:
    if not untrained:
        return []
    grouped = 0
    for mask in masks:
        grouped |= mask
    parameters = writer.inventory.parameters
    tied = sum(1 << i for i, p in enumerate(parameters) if untrained >> i & 1 and p.tied)
    texts = [quoted(name) for i, p in enumerate(parameters) if tied >> i & 1 for name in p.names]
    if untrained & ~tied:
        others = grouped | tied
        found = describe(untrained & ~tied, others, writer.atoms, writer.inventory)
        texts.insert(0, found.text)
    tensors = f"{untrained.bit_count():,} tensor{'s' * (untrained.bit_count() != 1)}"
    about = f"In no group of the optimizer ({tensors}), so nothing trains them."
    return [*comment(about), f"{' or '.join(texts)} -> freeze"]


def _lines(
    inventory: Inventory,
    use: Use,
    settings: Settings,
    freezing: Sequence[str],
    splits: Sequence[SplitText],
) -> Iterator[str]:
    yield from header(inventory, use)
    for remark in settings.remarks:
        yield from comment(remark)
    if settings.remarks:
        yield ""
    for split in splits:
        yield from split.lets
    for statement in settings.statements:
        yield statement_text(statement)
    yield ""
    yield from freezing
    for split in splits:
        yield ""
        if split.name:
            yield f"split {split.name} {{"
        yield from split.lines
        if split.name:
            yield "}"
