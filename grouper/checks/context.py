"""What every check is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from grouper.checks.module_kinds import ModuleKinds
from grouper.checks.trained import Trained
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language.ruleset import Optimizer, Rule, RuleSet
from grouper.language.syntax import tree
from grouper.match.assignment import Assignment, Setting
from grouper.match.compile_selector import compile_selector
from grouper.model.inventory import Inventory, Parameter
from grouper.options.signatures import Signature, signature
from grouper.options.values import Value


@dataclass(frozen=True)
class GroupOption:
    """An option of a rule that counts in a group, and for which of its parameters."""

    group: Group
    setting: Setting
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Context:
    """The values of all stages for one model and one rule set.

    `signatures` are those of the declared optimizers, by the names that the file gives them, as far
    as they are known. `without_model` says that there are only rules: the inventory is empty.
    """

    rules: RuleSet
    inventory: Inventory
    assignment: Assignment
    grouping: Grouping
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    without_model: bool = False

    @cached_property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The declared optimizers, by the names that the file gives them."""
        return self.rules.optimizers_by_name

    @property
    def knows_all_optimizers(self) -> bool:
        """Whether every optimizer is declared and known, so that no option need be guessed at."""
        return bool(self.optimizers) and set(self.optimizers) <= set(self.signatures)

    @cached_property
    def group_options(self) -> Mapping[str, tuple[GroupOption, ...]]:
        """For each group by its name, the rules' options that count in it."""
        assigned = {id(a.parameter): a for a in self.assignment.parameters}
        by_group = {}
        for group in self.grouping.groups:
            options: dict[int, tuple[Setting, list[Parameter]]] = {}
            for parameter in group.parameters:
                for setting in assigned[id(parameter)].settings:
                    if setting.effective:
                        entry = options.setdefault(id(setting.option), (setting, []))
                        entry[1].append(parameter)
            by_group[group.name] = tuple(
                GroupOption(group, setting, tuple(parameters))
                for setting, parameters in options.values()
            )
        return by_group

    @cached_property
    def matched(self) -> Mapping[int, set[int]]:
        """The parameters that each rule matches; both by their `id`."""
        matched: dict[int, set[int]] = {id(rule): set() for rule in self.rules.rules}
        for alike in self.assignment.treated_alike:
            members = {id(assigned.parameter) for assigned in alike}
            for match in alike[0].matches:
                matched[id(match.rule)] |= members
        return matched

    @cached_property
    def kinds(self) -> ModuleKinds:
        """What the parameters are, by the classes of their modules."""
        return ModuleKinds(self.inventory)

    @cached_property
    def trained(self) -> tuple[Trained, ...]:
        """The parameters that are in groups, in the model's order."""
        groups = {id(p): group for group in self.grouping.groups for p in group.parameters}
        nothing: Mapping[str, Value] = {}
        found = []
        for assigned in self.assignment.parameters:
            group = groups.get(id(assigned.parameter))
            if group is not None:
                known = self.signatures.get(group.optimizer or "")
                defaults = known.defaults if known is not None else nothing
                kind = self.kinds.of[id(assigned.parameter)]
                found.append(Trained(assigned, group, kind, defaults))
        return tuple(found)

    @cached_property
    def trained_by_id(self) -> Mapping[int, Trained]:
        """The same by the parameters' `id`."""
        return {id(one.parameter): one for one in self.trained}

    def selected(self, selector: tree.Selector) -> frozenset[int]:
        """The parameters, by their `id`, that a selector matches, whatever rule it stands in."""
        if selector not in self._selected:
            test = compile_selector(selector, self.inventory, self.rules.variables)
            members = (p for p in self.inventory.parameters if test(p).truth)
            self._selected[selector] = frozenset(map(id, members))
        return self._selected[selector]

    def candidates(self, rule: Rule) -> frozenset[int]:
        """The parameters, by their `id`, that a rule's selector matches left of `where`, whatever
        other rules take."""
        if rule.selector is None:
            return frozenset(map(id, self.inventory.parameters))
        return self.selected(rule.selector)

    @cached_property
    def without_matches(self) -> tuple[Rule, ...]:
        """The rules that end with no parameter. Those that ask what the model's file does not say
        are not among them: that is reported already."""
        unanswered = {id(unanswered.rule) for unanswered in self.assignment.unanswered}
        known = (rule for rule in self.rules.rules if id(rule) not in unanswered)
        return tuple(rule for rule in known if not self.matched[id(rule)])

    @cached_property
    def _selected(self) -> dict[tree.Selector, frozenset[int]]:
        return {}

    @cached_property
    def _conflicts(self) -> Mapping[int, tuple[str, ...]]:
        return {id(a.parameter): a.conflicts for a in self.assignment.parameters if a.conflicts}

    def in_conflict(self, group: Group, *keys: str) -> bool:
        """Whether rules disagree about one of these options in a group: it has no value yet, and
        the conflict is reported already."""
        first = id(group.parameters[0]) if group.parameters else 0
        return any(key in keys for key in self._conflicts.get(first, ()))

    @property
    def model_is_frozen(self) -> bool:
        """Whether the model itself has frozen all of its parameters."""
        parameters = self.inventory.parameters
        return bool(parameters) and all(p.trainable is False for p in parameters)

    def names(self, parameters: Iterable[Parameter]) -> tuple[str, ...]:
        """The parameters' names in the model's order; all names of those that are tied."""
        order = self.assignment.order
        return all_names(sorted(parameters, key=lambda parameter: order[id(parameter)]))


def all_names(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """The parameters' names; all names of those that are tied."""
    return tuple(" = ".join(parameter.names) for parameter in parameters)


def known_signatures(
    rules: RuleSet, find: Callable[[str], Signature | None] = signature
) -> Mapping[str, Signature]:
    """The signatures of the declared optimizers that `find` knows, by their names in the file."""
    all_signatures = {declared.key: find(declared.name) for declared in rules.optimizers}
    return {name: known for name, known in all_signatures.items() if known is not None}


def rule_name(rule: Rule) -> str:
    """What a rule is called in messages: its label, or its place."""
    if rule.label is None:
        return f"the rule in line {rule.span.line}" if rule.span is not None else "a rule"
    if rule.label.span is not None:
        return f"`{rule.label.span.text}`"
    pieces = (getattr(p, "text", f"{{{getattr(p, 'name', '')}}}") for p in rule.label.pieces)
    return f"`{''.join(pieces)}`"
