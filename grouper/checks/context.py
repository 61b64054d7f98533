"""The input of every check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from grouper.checks.module_kinds import ModuleKinds
from grouper.checks.trained import Trained, Treated
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language.ruleset import Optimizer, Rule, RuleSet
from grouper.language.syntax import tree
from grouper.match.asked import NOTHING, asked
from grouper.match.assignment import Assignment, Decision, Setting
from grouper.match.classes import owner_path
from grouper.match.compile_rule import compile_rule
from grouper.match.compile_selector import compile_selector
from grouper.match.kinds import Kinds, Question
from grouper.model.inventory import Inventory, Parameter
from grouper.options.signatures import Signature, signature
from grouper.options.values import Value, value_text
from grouper.text.dataclass import dataclass, field

if TYPE_CHECKING:
    from grouper.language.automata.rule_claims import RuleClaims
    from grouper.match.reachable import Reachable


class _Matched(dict[int, set[int]]):
    """The `id`s of the parameters that each rule matches, made for a rule when it is asked for."""

    def __init__(self, members: Mapping[int, list[Parameter]]) -> None:
        self._members = members

    def __missing__(self, rule: int) -> set[int]:
        found = self[rule] = set(map(id, self._members[rule]))
        return found


@dataclass(frozen=True)
class GroupOption:
    """An option of a rule that is effective in a group, and the parameters that get it."""

    group: Group
    setting: Setting
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Context:
    """The results of all stages for one model and one rule set.

    `signatures` are those of the declared optimizers that are known, by their names in the file.
    `without_model` says that there are only rules: the inventory is empty. `base` has the
    parameters of the base model by all of their names. `tried` says that the rules are an edit that
    is tried: nobody reads what its findings say.
    """

    rules: RuleSet
    inventory: Inventory
    assignment: Assignment
    grouping: Grouping
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    without_model: bool = False
    base: Mapping[str, Parameter] | None = None
    tried: bool = False

    @cached_property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The declared optimizers, by their names in the file."""
        return self.rules.optimizers_by_name

    @property
    def knows_all_optimizers(self) -> bool:
        """Whether all optimizers are declared and known, so that their options are known."""
        return bool(self.optimizers) and set(self.optimizers) <= set(self.signatures)

    @cached_property
    def group_options(self) -> Mapping[str, tuple[GroupOption, ...]]:
        """The effective options of the rules in each group, by the group's name."""
        decisions = {id(a[0]): a[2] for a in self.assignment.parameters}
        by_group = {}
        for group in self.grouping.groups:
            options: dict[int, tuple[Setting, list[Parameter]]] = {}
            effective: dict[int, tuple[Setting, ...]] = {}
            for parameter in group.parameters:
                decision = decisions[id(parameter)]
                settings = effective.get(id(decision))
                if settings is None:
                    settings = tuple(s for s in decision.settings if s.effective)
                    effective[id(decision)] = settings
                for setting in settings:
                    entry = options.get(id(setting.option))
                    if entry is None:
                        entry = options[id(setting.option)] = (setting, [])
                    entry[1].append(parameter)
            by_group[group.name] = tuple(
                GroupOption(group, setting, tuple(parameters))
                for setting, parameters in options.values()
            )
        return by_group

    @cached_property
    def members(self) -> Mapping[int, list[Parameter]]:
        """The parameters that each rule matches, in the model's order, by the rule's `id`."""
        members: dict[int, list[Parameter]] = {id(rule): [] for rule in self.rules.rules}
        for parameter, _, decision in self.assignment.parameters:
            for rule in decision.combination.rules:
                members[id(rule)].append(parameter)
        return members

    @cached_property
    def matched(self) -> Mapping[int, set[int]]:
        """The `id`s of the parameters that each rule matches, by the rule's `id`."""
        return _Matched(self.members)

    @cached_property
    def kinds(self) -> ModuleKinds:
        """The kinds of the parameters, by the classes of their modules."""
        return ModuleKinds(self.inventory)

    @cached_property
    def trained(self) -> tuple[Trained, ...]:
        """The parameters that are in groups, in the model's order."""
        groups = {id(p): group for group in self.grouping.groups for p in group.parameters}
        treated: dict[tuple[int, int], Treated] = {}
        kinds = self.kinds.of
        members = []
        for assigned in self.assignment.parameters:
            parameter, _, decision = assigned
            group = groups.get(id(parameter))
            if group is not None:
                key = id(decision), id(group)
                if key not in treated:
                    treated[key] = self._treated(decision, group)
                members.append(Trained(assigned, treated[key], kinds[id(parameter)]))
        return tuple(members)

    def _treated(self, decision: Decision, group: Group) -> Treated:
        known = self.signatures.get(group.optimizer or "")
        nothing: Mapping[str, Value] = {}
        return Treated(decision, group, known.defaults if known is not None else nothing)

    @cached_property
    def trained_by_id(self) -> Mapping[int, Trained]:
        """The trained parameters, by the parameter's `id`."""
        return {id(one.parameter): one for one in self.trained}

    def selected(self, selector: tree.Selector) -> frozenset[int]:
        """The `id`s of all parameters that a selector matches, independent of rules."""
        if selector not in self._selected:
            parameters = self._answering(selector, self._reachable.by(selector))
            self._selected[selector] = frozenset(map(id, parameters))
        return self._selected[selector]

    def matches_some(self, selector: tree.Selector) -> bool:
        """Whether a selector matches any parameter; stops at the first match."""
        if selector not in self._matches_some:
            match = next(self._answering(selector, self._reachable.by(selector)), None)
            self._matches_some[selector] = match is not None
        return self._matches_some[selector]

    @cached_property
    def _reachable(self) -> Reachable:
        from grouper.match.reachable import Reachable  # only where a selector is searched for

        return Reachable(self.inventory)

    def taken(self, rule: Rule, selector: tree.Selector) -> list[Parameter]:
        """The parameters of a rule that a part of its selector matches."""
        members = self.members[id(rule)]
        if selector is rule.selector:
            return members
        return list(self._answering(selector, members))

    def _answering(
        self, selector: tree.Selector, parameters: Iterable[Parameter]
    ) -> Iterator[Parameter]:
        test = compile_selector(selector, self.inventory, self.rules.variables)
        if isinstance(selector, tree.Glob | tree.Exact | tree.Regex):
            return (p for p in parameters if test(p).truth)
        question = Question(selector, test, asked(selector), NOTHING)
        answers_of = Kinds(self.inventory, [question]).of
        return (p for p in parameters if any(a.truth for _, a in answers_of(p)[0].answers))

    def candidates(self, rule: Rule) -> frozenset[int]:
        """The `id`s of the parameters that satisfy a rule's selector and condition, including those
        that earlier rules take. A condition that raises an error counts as satisfied: the error is
        already reported."""
        if rule.condition is not None:
            test = compile_rule(rule, self.rules, self.inventory, self.base)
            answers = ((p, test(p)) for p in self.inventory.parameters)
            return frozenset(id(p) for p, answer in answers if answer.truth or answer.problems)
        if rule.selector is None:
            return frozenset(map(id, self.inventory.parameters))
        if not rule.otherwise and rule.condition is None and not self._is_unanswered(rule):
            return frozenset(self.matched[id(rule)])
        return self.selected(rule.selector)

    def _is_unanswered(self, rule: Rule) -> bool:
        return any(unanswered.rule is rule for unanswered in self.assignment.unanswered)

    @cached_property
    def claims(self) -> RuleClaims:
        """What the rules match among all possible names, independent of the model."""
        from grouper.language.automata.rule_claims import RuleClaims  # only for rules alone

        return RuleClaims(self.rules)

    @cached_property
    def without_matches(self) -> tuple[Rule, ...]:
        """The rules that match no parameter, except for those whose selector cannot be answered,
        which is already reported."""
        unanswered = {id(unanswered.rule) for unanswered in self.assignment.unanswered}
        known = (rule for rule in self.rules.rules if id(rule) not in unanswered)
        return tuple(rule for rule in known if not self.members[id(rule)])

    @cached_property
    def _selected(self) -> dict[tree.Selector, frozenset[int]]:
        return {}

    @cached_property
    def _matches_some(self) -> dict[tree.Selector, bool]:
        return {}

    @cached_property
    def _conflicts(self) -> Mapping[int, tuple[str, ...]]:
        return {
            id(assigned.parameter): alike[0].conflicts
            for alike in self.assignment.treated_alike
            if alike[0].conflicts
            for assigned in alike
        }

    def in_conflict(self, group: Group, *keys: str) -> bool:
        """Whether rules disagree about one of these options in a group. The conflict is already
        reported, and the option has no value."""
        first = id(group.parameters[0]) if group.parameters else 0
        return any(key in keys for key in self._conflicts.get(first, ()))

    @property
    def model_is_frozen(self) -> bool:
        """Whether the model itself has frozen all of its parameters."""
        parameters = self.inventory.parameters
        return bool(parameters) and all(p.trainable is False for p in parameters)

    @cached_property
    def _by_id(self) -> Mapping[int, Parameter]:
        return {id(parameter): parameter for parameter in self.inventory.parameters}

    def parameters(self, ids: Iterable[int]) -> list[Parameter]:
        """The parameters with these `id`s, in the model's order."""
        return [self._by_id[i] for i in sorted(ids, key=self.assignment.order.__getitem__)]

    @cached_property
    def by_owner(self) -> Mapping[str, list[Parameter]]:
        """The parameters of each module, by its path, in the model's order."""
        layers: dict[str, list[Parameter]] = {}
        for parameter in self.inventory.parameters:
            path = owner_path(parameter.name, self.inventory.modules)
            layers.setdefault(path, []).append(parameter)
        return layers

    def names(self, parameters: Iterable[Parameter]) -> tuple[str, ...]:
        """The parameters' names in the model's order, with all names of tied parameters."""
        order = self.assignment.order
        return all_names(sorted(parameters, key=lambda parameter: order[id(parameter)]))


def all_names(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """The parameters' names, with all names of tied parameters."""
    return tuple(" = ".join(parameter.names) for parameter in parameters)


def known_signatures(
    rules: RuleSet, find: Callable[[str], Signature | None] = signature
) -> Mapping[str, Signature]:
    """The signatures of the declared optimizers that `find` knows, by their names in the file."""
    all_signatures = {declared.key: find(declared.name) for declared in rules.optimizers}
    return {name: known for name, known in all_signatures.items() if known is not None}


def sets_phrase(rule: Rule, value: Value) -> str:
    """What a rule does to an option: "`head` sets 0.1"."""
    return f"{rule_name(rule)} sets {value_text(value)}"


def rule_name(rule: Rule) -> str:
    """The name of a rule in messages: its label, or its line."""
    if rule.label is None:
        return f"the rule in line {rule.span.line}" if rule.span is not None else "a rule"
    if rule.label.span is not None:
        return f"`{rule.label.span.text}`"
    pieces = (getattr(p, "text", f"{{{getattr(p, 'name', '')}}}") for p in rule.label.pieces)
    return f"`{''.join(pieces)}`"
