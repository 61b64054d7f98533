"""Computes what changes between the groups of two models, of two rule sets, or of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from grouper.group.diff import Change, Diff, StatementChange, Treatment
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet, rules_text
from grouper.model.inventory import Inventory, Parameter
from grouper.options.read_only import ReadOnly
from grouper.text.dataclass import dataclass, replace


@dataclass(frozen=True)
class Side:
    """One of the two: what `path` names, its rules, its model, and its groups."""

    path: str
    rules: RuleSet
    inventory: Inventory
    grouping: Grouping


def difference(before: Side, after: Side) -> Diff:
    """What changes from one side to the other; parameters go by their names."""
    old, new = _treatments(before), _treatments(after)
    earlier = _counterparts(before.inventory, after.inventory)
    gone, come = _alone(before.inventory, after.inventory, earlier)
    renamed = _renamed(gone, come)
    earlier.update({id(late): early for early, late in renamed})
    there = [p for p in after.inventory.parameters if id(p) in earlier]
    entries = [(old[id(earlier[id(p)])], new[id(p)], p.name) for p in there]
    moved = [entry for entry in entries if entry[0].key != entry[1].key]
    known = {id(p) for pair in renamed for p in pair}
    return Diff(
        (before.path, after.path),
        _folded(moved),
        _folded((None, new[id(p)], p.name) for p in come if id(p) not in known),
        _folded((old[id(p)], None, p.name) for p in gone if id(p) not in known),
        tuple((early.name, late.name) for early, late in renamed),
        tuple(_statements(before.rules, after.rules)),
        len(entries) - len(moved),
    )


def _treatments(side: Side) -> dict[int, Treatment]:
    """How each parameter is treated, by its `id`."""
    declared = side.rules.optimizers_by_name
    found: dict[int, Treatment] = {}
    for group in side.grouping.groups:
        optimizer = declared.get(group.optimizer or "")
        treatment = _treatment(group, optimizer.name if optimizer else group.optimizer)
        found.update(dict.fromkeys(map(id, group.parameters), treatment))
    found.update(dict.fromkeys(map(id, side.grouping.frozen), Treatment(None, frozen=True)))
    return {id(p): found.get(id(p)) or Treatment(None) for p in side.inventory.parameters}


def _treatment(group: Group, optimizer: str | None) -> Treatment:
    named = {"optimizer": optimizer} if optimizer is not None else {}
    return Treatment(group.name, ReadOnly({**group.options, **group.plan, **named}))


def _counterparts(before: Inventory, after: Inventory) -> dict[int, Parameter]:
    """The earlier parameter of each later one, by its `id`, by an equal name."""
    found: dict[int, Parameter] = {}
    taken: set[int] = set()
    for parameter in after.parameters:
        known = (before.by_name.get(name) for name in parameter.names)
        early = next((p for p in known if p is not None and id(p) not in taken), None)
        if early is not None:
            found[id(parameter)] = early
            taken.add(id(early))
    return found


def _alone(
    before: Inventory, after: Inventory, earlier: Mapping[int, Parameter]
) -> tuple[list[Parameter], list[Parameter]]:
    """The parameters that only the earlier and only the later model has."""
    taken = {id(p) for p in earlier.values()}
    gone = [p for p in before.parameters if id(p) not in taken]
    return gone, [p for p in after.parameters if id(p) not in earlier]


def _renamed(
    gone: Sequence[Parameter], come: Sequence[Parameter]
) -> list[tuple[Parameter, Parameter]]:
    """Pairs that are taken for one parameter: of those with equal shapes and last names, in their
    order, where both models have as many."""
    sorts: dict[object, tuple[list[Parameter], list[Parameter]]] = {}
    for side, parameters in enumerate((gone, come)):
        for parameter in parameters:
            if parameter.shape is not None:
                key = parameter.shape, parameter.name.rpartition(".")[2]
                sorts.setdefault(key, ([], []))[side].append(parameter)
    pairs = [
        pair
        for early, late in sorts.values()
        if len(early) == len(late)
        for pair in zip(early, late, strict=True)
    ]
    order = {id(parameter): index for index, parameter in enumerate(come)}
    return sorted(pairs, key=lambda pair: order[id(pair[1])])


def _folded(
    entries: Iterable[tuple[Treatment | None, Treatment | None, str]],
) -> tuple[Change, ...]:
    """The entries by what they were and are, in the order of the first of each."""
    alike: dict[object, tuple[Treatment | None, Treatment | None, list[str]]] = {}
    for before, after, name in entries:
        key = before and before.key, after and after.key
        alike.setdefault(key, (before, after, []))[2].append(name)
    return tuple(Change(before, after, tuple(names)) for before, after, names in alike.values())


def _statements(before: RuleSet, after: RuleSet) -> Iterator[StatementChange]:
    old, new = _by_name(before), _by_name(after)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield StatementChange(name, old.get(name), new.get(name))


def _by_name(rules: RuleSet) -> dict[str, str]:
    """The statements that say how a run goes, as text."""
    nothing = RuleSet()
    parts = {
        "warmup": replace(nothing, warmup=rules.warmup),
        "schedule": replace(nothing, schedule=rules.schedule),
    }
    for declared in rules.optimizers:
        name = f"optimizer {declared.alias}" if declared.alias else "optimizer"
        parts[name] = replace(nothing, optimizers=(declared,))
    for key, schedule in rules.schedules.items():
        parts[f"schedule of {key}"] = replace(nothing, schedules={key: schedule})
    texts = {name: rules_text(part).strip() for name, part in parts.items()}
    return {name: text for name, text in texts.items() if text}
