"""The input of the checks of an audit: a model and the groups of its optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from grouper.group.group import unique
from grouper.group.optimizer_groups import OptimizerGroup, OptimizerGroups
from grouper.model.inventory import Inventory, Parameter
from grouper.options.signatures import Signature, signature
from grouper.options.values import Value
from grouper.text.dataclass import dataclass
from grouper.text.printable import quoted_list

NAMES = ("name", "group_name", "param_group")  # keys with the name of a group
# Keys that torch's schedulers store in a group.
OF_SCHEDULERS = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr")


@dataclass(frozen=True)
class AuditedGroup:
    """A group of one of the optimizers. `label` is the name that the group contains, `name` is this
    or its number. `unread` are the keys that the class's step does not read; None if unknown.
    """

    name: str
    label: str | None
    group: OptimizerGroup
    optimizer: OptimizerGroups
    signature: Signature
    unread: tuple[str, ...] | None = None

    @property
    def options(self) -> Mapping[str, Value]:
        return self.group.options


@dataclass(frozen=True)
class Audited:
    """A model and the optimizers that train it. `unread` has, for each optimizer and each of its
    groups, the keys that its step does not read; it is empty for a checkpoint."""

    inventory: Inventory
    optimizers: tuple[OptimizerGroups, ...]
    unread: Sequence[Sequence[tuple[str, ...] | None]] = ()

    @cached_property
    def groups(self) -> tuple[AuditedGroup, ...]:
        """All groups in order, with unique names."""
        names: set[str] = set()
        all_groups = []
        for index, optimizer in enumerate(self.optimizers):
            known = signature_of_groups(optimizer)
            unread = self.unread[index] if self.unread else [None] * len(optimizer.groups)
            for number, (group, keys) in enumerate(zip(optimizer.groups, unread, strict=True)):
                label = _label(group)
                name = unique(label or f"group {number}", names)
                all_groups.append(AuditedGroup(name, label, group, optimizer, known, keys))
        return tuple(all_groups)

    @cached_property
    def places(self) -> Mapping[str, tuple[AuditedGroup, ...]]:
        """The groups of each parameter, by its name; twice if a group has it twice."""
        places: dict[str, list[AuditedGroup]] = {}
        for group in self.groups:
            for name in group.group.parameters:
                places.setdefault(name, []).append(group)
        return {name: tuple(groups) for name, groups in places.items()}

    @property
    def is_matched(self) -> bool:
        """Whether at least one tensor of the optimizers is identified as one of the model's."""
        return bool(self.places) or not any(group.group.strays for group in self.groups)

    @property
    def is_guessed(self) -> bool:
        """Whether groups were matched to parameters only by their sizes, which is too uncertain to
        check them."""
        return any(optimizer.guessed for optimizer in self.optimizers)

    @property
    def is_live(self) -> bool:
        return bool(self.unread)

    def parameters(self, group: AuditedGroup) -> tuple[Parameter, ...]:
        """The model's parameters in a group, without duplicates."""
        names = dict.fromkeys(group.group.parameters)
        return tuple(self.inventory.by_name[name] for name in names)


def signature_of_groups(optimizer: OptimizerGroups) -> Signature:
    """The signature of an optimizer's class: from the table for torch's, or else its defaults."""
    known = signature(optimizer.optimizer) if optimizer.optimizer else None
    return known or Signature(tuple(optimizer.defaults), optimizer.defaults)


def group_list(groups: Sequence[AuditedGroup], most: int = 5) -> str:
    """The names of the first groups, and the number of the others."""
    more = f" and {len(groups) - most} more" if len(groups) > most else ""
    return f"{quoted_list(group.name for group in groups[:most])}{more}"


def _label(group: OptimizerGroup) -> str | None:
    words = (group.options.get(key) for key in NAMES)
    return next((word for word in words if isinstance(word, str) and word), None)
