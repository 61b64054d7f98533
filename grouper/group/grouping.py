"""The optimizer groups: name, options and parameters, in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from grouper.model.inventory import Inventory, Parameter
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.values import Value
from grouper.text.similar import similar


@dataclass(frozen=True)
class Group:
    """One parameter group. `name` is unique: labels joined by `/`, `#2` behind the second of them.

    `options` go to the optimizer (lr, weight_decay, ...); `plan` are the plan's keys
    (warmup_start, schedule, ...); `optimizer` is the alias (or name) of its optimizer, None
    where the file declares none. `place` says where the rules set its lr
    (see grouper.group.lr_origin).
    """

    name: str
    labels: tuple[str, ...]
    options: Mapping[str, Value]
    plan: Mapping[str, Value]
    parameters: tuple[Parameter, ...]
    optimizer: str | None = None
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class FrozenGroup:
    """A group that frozen parameters would be, did no rule freeze them. `conflicts` are the keys
    about which the other rules disagree."""

    group: Group
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grouping:
    """Groups, frozen parameters, and those `unmatched` that the rules accept as such: together, the
    parameters of a clean report, each once.

    `held` are the groups that the parameters which rules freeze would be. `thawed` are those that
    are trained all the same, by the calls of `thaw`.
    """

    groups: tuple[Group, ...]
    frozen: tuple[Parameter, ...] = ()
    held: tuple[FrozenGroup, ...] = ()
    thawed: tuple[tuple[Parameter, ...], ...] = ()
    unmatched: tuple[Parameter, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of names, options, plan keys, optimizers, parameters and the frozen, in order.

        The same rules and model give the same one on every rank, machine and Python.
        """
        return digest_of(grouping_terms(self))

    def thaw(self, label: str, **options: Value) -> Grouping:
        """The grouping in which what the rules froze under a label is trained.

        Its groups stand behind all others, as a running optimizer has them once they are added, and
        have the options that the other rules give them, with `options` on top. Raises ValueError
        where nothing that a rule froze has the label, and where those rules disagree.
        """
        taken = [held for held in self.held if label in (*held.group.labels, held.group.name)]
        if not taken:
            raise ValueError(self._nothing_to_thaw(label))
        for held in taken:
            _refuse_conflicts(held, label, options)
        names = {group.name for group in self.groups}
        added = []
        for held in taken:
            changed = _with(held.group, options)
            added.append(replace(changed, name=unique(changed.name, names)))
        thawed = tuple(parameter for group in added for parameter in group.parameters)
        gone = {id(parameter) for parameter in thawed}
        return Grouping(
            (*self.groups, *added),
            tuple(parameter for parameter in self.frozen if id(parameter) not in gone),
            tuple(held for held in self.held if held not in taken),
            (*self.thawed, thawed),
            self.unmatched,
        )

    def merged(self, inventory: Inventory) -> Grouping:
        """The fewest groups: those whose options, plan and optimizer are equal are one.

        A joined group is called `head/bias+body/bias`, has the labels of all, stands where the
        first of them stood, and has its parameters in the model's order. Groups of one `thaw` join
        with each other only, so that thawing adds groups and changes none.
        """
        since = {id(p): call for call, found in enumerate(self.thawed, 1) for p in found}
        alike: dict[object, list[Group]] = {}
        for group in self.groups:
            call = since.get(id(group.parameters[0]), 0) if group.parameters else 0
            key = (call, group.optimizer, options_key(group.options), options_key(group.plan))
            alike.setdefault(key, []).append(group)
        order = {id(parameter): index for index, parameter in enumerate(inventory.parameters)}
        names: set[str] = set()
        return replace(self, groups=tuple(_joined(g, order, names) for g in alike.values()))

    def _nothing_to_thaw(self, label: str) -> str:
        trained = [group.name for group in self.groups if label in (*group.labels, group.name)]
        if trained:
            named = ", ".join(f"`{name}`" for name in trained)
            return f"no rule froze anything under `{label}`: it is trained, in {named}"
        labels = dict.fromkeys(word for held in self.held for word in held.group.labels)
        listed = ", ".join(f"`{word}`" for word in labels)
        hint = similar("label", label, labels) or (
            f"frozen are {listed}" if labels else "the rules freeze nothing that has a label"
        )
        return f"no rule froze anything under `{label}`; {hint}"


def grouping_terms(grouping: Grouping) -> dict[str, Any]:
    """The groups: names, optimizer, options, plan keys and parameters, in order; and the frozen."""
    groups = [
        {
            "name": group.name,
            "optimizer": group.optimizer,
            "options": plain(group.options),
            "plan": plain(group.plan),
            "parameters": [parameter.name for parameter in group.parameters],
        }
        for group in grouping.groups
    ]
    return {"groups": groups, "frozen": [parameter.name for parameter in grouping.frozen]}


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON has them, where 1 and 1.0 are one value, as they are in rules."""
    return {key: _plain(value) for key, value in options.items()}


def digest_of(terms: Mapping[str, Any]) -> str:
    """SHA-256 of the terms, in hexadecimal; numbers count to the last bit."""
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def unique(base: str, names: set[str]) -> str:
    """A name that no group has yet: the base, or `base#2`, ...; it is then taken."""
    name, number = base, 1
    while name in names:
        number += 1
        name = f"{base}#{number}"
    names.add(name)
    return name


def options_key(options: Mapping[str, Value]) -> object:
    """Options as a value that tells `true` from 1, whatever the order of the keys."""
    return frozenset((key, isinstance(value, bool), value) for key, value in options.items())


def _refuse_conflicts(held: FrozenGroup, label: str, options: Mapping[str, Value]) -> None:
    open_keys = [key for key in held.conflicts if key not in options]
    if open_keys:
        first = held.group.parameters[0].name
        raise ValueError(
            f"`{label}` cannot be thawed: the rules give several values of `{open_keys[0]}` to its"
            f" `{first}`; begin one of them with `override` or `else`, or say which counts:"
            f" thaw({label!r}, {open_keys[0]}=...)"
        )


def _with(group: Group, options: Mapping[str, Value]) -> Group:
    chosen = options.get("optimizer", group.optimizer)
    own = {key: value for key, value in options.items() if key not in ("optimizer", *PLAN_KEYS)}
    plan = {key: value for key, value in options.items() if key in PLAN_KEYS}
    return replace(
        group,
        options=MappingProxyType({**group.options, **own}),
        plan=MappingProxyType({**group.plan, **plan}),
        optimizer=chosen if isinstance(chosen, str) else None,
        place="thaw(lr=...)" if "lr" in options else group.place,
    )


def _joined(groups: list[Group], order: Mapping[int, int], names: set[str]) -> Group:
    if len(groups) == 1:
        return replace(groups[0], name=unique(groups[0].name, names))
    parameters = [parameter for group in groups for parameter in group.parameters]
    return replace(
        groups[0],
        name=unique("+".join(group.name for group in groups), names),
        labels=_once(label for group in groups for label in group.labels),
        parameters=tuple(sorted(parameters, key=lambda parameter: order[id(parameter)])),
        place="; ".join(_once(group.place for group in groups if group.place)) or None,
    )


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
