"""The optimizer groups of a model, and the frozen parameters beside them."""

from __future__ import annotations

from grouper.group.digest import digest_of, group_terms
from grouper.group.group import FrozenGroup, Group, joined, options_key, unique, with_options
from grouper.group.unfreeze_errors import nothing_to_unfreeze, refuse_conflicts
from grouper.model.inventory import Inventory, Parameter
from grouper.options.values import Configured, Value
from grouper.text.arguments import require, require_values
from grouper.text.dataclass import dataclass, replace
from grouper.text.printable import count_phrase, visible
from grouper.text.shown import Shown, line

MOST_NAMES = 8  # in the one line of a grouping


@dataclass(frozen=True, repr=False)
class Grouping(Shown):
    """Groups, frozen parameters, and those `unmatched` that the rules accept as such: together, the
    parameters of a clean report, each once.

    `frozen_groups` are the groups that the parameters which rules freeze would form. `unfrozen` are
    those that calls of `unfreeze` train all the same, a tuple for each call.
    """

    groups: tuple[Group, ...]
    frozen: tuple[Parameter, ...] = ()
    frozen_groups: tuple[FrozenGroup, ...] = ()
    unfrozen: tuple[tuple[Parameter, ...], ...] = ()
    unmatched: tuple[Parameter, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(group.name for group in self.groups[:MOST_NAMES])
        more = ", ..." if len(self.groups) > MOST_NAMES else ""
        frozen = f"; {len(self.frozen)} tensors frozen" if self.frozen else ""
        return line(self, visible(f"{count_phrase(self.groups, 'group')}: {names}{more}{frozen}"))

    @property
    def digest(self) -> str:
        """SHA-256 of names, options, plan keys, optimizers, parameters and the frozen, in order.

        The same rules and model give the same one on every rank, machine and Python.
        """
        return digest_of(group_terms(self.groups, self.frozen))

    def unfreeze(self, label: str, **options: Value) -> Grouping:
        """The grouping that trains what the rules froze under a label (or a group's name).

        Its groups come after all others, as they do in a running optimizer to which they are
        added. They have the options that the other rules give them, and `options` on top. Raises
        ValueError where nothing that a rule froze has the label, and where those rules disagree.
        """
        require("label", label, str, "a label of the rules")
        require_values(options, (Configured,))
        matching = [frozen for frozen in self.frozen_groups if frozen.group.called(label)]
        if not matching:
            raise ValueError(nothing_to_unfreeze(label, self.groups, self.frozen_groups))
        for frozen in matching:
            refuse_conflicts(frozen, label, options)
        names = {group.name for group in self.groups}
        changed = [with_options(frozen.group, options) for frozen in matching]
        added = [replace(group, name=unique(group.name, names)) for group in changed]
        unfrozen = tuple(parameter for group in added for parameter in group.parameters)
        ids = {id(parameter) for parameter in unfrozen}
        return Grouping(
            (*self.groups, *added),
            tuple(parameter for parameter in self.frozen if id(parameter) not in ids),
            tuple(frozen for frozen in self.frozen_groups if frozen not in matching),
            (*self.unfrozen, unfrozen),
            self.unmatched,
        )

    def merged(self, inventory: Inventory) -> Grouping:
        """The fewest groups: those whose options, plan and optimizer are equal become one.

        A joined group is called `head/bias+body/bias`, has the labels of all, is where the
        first of them stood, and has its parameters in the model's order. Groups of one `unfreeze`
        join with each other only, so that unfreezing adds groups and changes none.
        """
        require("inventory", inventory, Inventory, "the inventory of the report")
        calls = {id(p): call for call, unfrozen in enumerate(self.unfrozen, 1) for p in unfrozen}
        equal: dict[object, list[Group]] = {}
        for group in self.groups:
            call = calls.get(id(group.parameters[0]), 0) if group.parameters else 0
            key = (call, group.optimizer, options_key(group.options), options_key(group.plan))
            equal.setdefault(key, []).append(group)
        order = {parameter.name: index for index, parameter in enumerate(inventory.parameters)}
        names: set[str] = set()
        return replace(self, groups=tuple(joined(g, order, names) for g in equal.values()))
