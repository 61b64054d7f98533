"""One parameter group, and how groups are named and compared."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.model.inventory import Parameter
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.read_only import ReadOnly
from grouper.options.values import Value, value_key
from grouper.text.dataclass import dataclass, field, replace


@dataclass(frozen=True)
class Group:
    """One parameter group. `name` is unique: labels joined by `/`, with `#2` for a second of them.

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

    def called(self, label: str) -> bool:
        """Whether the group has a label, or is named so."""
        return label in self.labels or label == self.name


@dataclass(frozen=True)
class FrozenGroup:
    """The group that these parameters would form if no rule froze them. `conflicts` are the options
    about which the other rules disagree."""

    group: Group
    conflicts: tuple[str, ...] = ()


def unique(base: str, names: set[str]) -> str:
    """A name that no group has yet: the base, or `base#2`, ...; it is added to the names."""
    name, number = base, 1
    while name in names:
        number += 1
        name = f"{base}#{number}"
    names.add(name)
    return name


def options_key(options: Mapping[str, Value]) -> object:
    """Options as a value that tells `true` from 1, whatever the order of the keys."""
    return frozenset((key, value_key(value)) for key, value in options.items())


def with_options(group: Group, options: Mapping[str, Value]) -> Group:
    """The group with other values of some options."""
    optimizer = options.get("optimizer", group.optimizer)
    own = {key: value for key, value in options.items() if key not in ("optimizer", *PLAN_KEYS)}
    plan = {key: value for key, value in options.items() if key in PLAN_KEYS}
    return replace(
        group,
        options=ReadOnly({**group.options, **own}),
        plan=ReadOnly({**group.plan, **plan}),
        optimizer=optimizer if isinstance(optimizer, str) else None,
        place="unfreeze(lr=...)" if "lr" in options else group.place,
    )


def joined(groups: list[Group], order: Mapping[str, int], names: set[str]) -> Group:
    """Groups with equal options as one; `order` is each parameter's place, by its name."""
    if len(groups) == 1:
        return replace(groups[0], name=unique(groups[0].name, names))
    parameters = [parameter for group in groups for parameter in group.parameters]
    labels = dict.fromkeys(label for group in groups for label in group.labels)
    places = dict.fromkeys(group.place for group in groups if group.place)
    return replace(
        groups[0],
        name=unique("+".join(group.name for group in groups), names),
        labels=tuple(labels),
        parameters=tuple(sorted(parameters, key=lambda parameter: order[parameter.name])),
        place="; ".join(places) or None,
    )
