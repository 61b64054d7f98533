"""The rules that match each parameter, and the options that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from grouper.language.expressions import CaptureNumbers
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.match.captures import Captures
from grouper.model.inventory import Inventory, Parameter
from grouper.options.values import Value
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Finding


@dataclass(frozen=True)
class Match:
    """A rule that matches a parameter: by which of its names, with what numbers captured."""

    rule: Rule
    captures: Captures
    name_index: int = 0

    def name_of(self, parameter: Parameter) -> str:
        """The name by which the rule matches the parameter."""
        return parameter.names[self.name_index]


@dataclass(frozen=True)
class Combination:
    """The rules that match a parameter together; many parameters have the same.

    For each rule, by which of the parameter's names it matches, and which of the numbers in the
    name its captures are.
    """

    rules: tuple[Rule, ...] = ()
    name_indexes: tuple[int, ...] = ()
    places: tuple[tuple[tuple[str, int], ...], ...] = ()

    def matches(self, numbers: Sequence[str]) -> tuple[Match, ...]:
        """The matches of a parameter with these numbers in its name."""
        return tuple(
            Match(rule, {name: int(numbers[place]) for name, place in places}, index)
            for rule, index, places in zip(self.rules, self.name_indexes, self.places, strict=True)
        )


@dataclass(frozen=True)
class UnansweredSelector:
    """A selector that asks what the model's file does not say of these parameters."""

    rule: Rule
    selector: tree.Selector
    question: str
    reason: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Matches:
    """The rules that match each parameter of the inventory, in its order.

    Those with the same rules share one Combination of them; beside it stand the numbers in the
    parameter's name that rules may capture. `findings` are selectors that fail.
    `numbers` are those that captures take, by block; `base` has the parameters of the base model.
    `limit` is the finding that stopped the work, where there was more than a minute of it: no
    parameter then has a match.
    """

    rules: RuleSet
    inventory: Inventory
    combinations: tuple[Combination, ...]
    captured: tuple[tuple[str, ...], ...]
    unanswered: tuple[UnansweredSelector, ...] = ()
    findings: tuple[Finding, ...] = ()
    limit: Finding | None = None
    numbers: Mapping[str | None, CaptureNumbers] = field(default_factory=dict)
    base: Mapping[str, Parameter] | None = None


class Given(NamedTuple):
    """The value that a matching rule gives an option."""

    rule: Rule
    option: tree.Option
    value: Value


@dataclass(frozen=True)
class Setting:
    """What one rule says about one option of a parameter; `effective` where it counts."""

    rule: Rule
    option: tree.Option
    value: Value
    effective: bool


@dataclass(frozen=True)
class Decision:
    """What the rules decide for parameters that they treat alike.

    `settings` keeps those that do not count, too. `uncovered_splits` and `overlapping_splits` name
    the splits (None: the top level) of which no rule, or several rules, match. `conflicts` are the
    options with more than one value. `options` are final: the optimizer's defaults, then settings,
    then multipliers.
    """

    combination: Combination
    settings: tuple[Setting, ...]
    labels: tuple[str, ...]
    options: Mapping[str, Value]
    uncovered_splits: tuple[str | None, ...] = ()
    overlapping_splits: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    frozen: bool = False


class ParameterAssignment(NamedTuple):
    """What the rules decide for one parameter: a Decision, with the numbers in the parameter's
    name.

    Most models have very many of these, and few decisions.
    """

    parameter: Parameter
    numbers: tuple[str, ...]
    decision: Decision

    @property
    def matches(self) -> tuple[Match, ...]:
        return self.decision.combination.matches(self.numbers)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that match the parameter."""
        return self.decision.combination.rules

    @property
    def settings(self) -> tuple[Setting, ...]:
        return self.decision.settings

    @property
    def labels(self) -> tuple[str, ...]:
        return self.decision.labels

    @property
    def options(self) -> Mapping[str, Value]:
        return self.decision.options

    @property
    def uncovered_splits(self) -> tuple[str | None, ...]:
        return self.decision.uncovered_splits

    @property
    def overlapping_splits(self) -> tuple[str, ...]:
        return self.decision.overlapping_splits

    @property
    def conflicts(self) -> tuple[str, ...]:
        return self.decision.conflicts

    @property
    def frozen(self) -> bool:
        return self.decision.frozen


@dataclass(frozen=True)
class Assignment:
    """Every parameter of the inventory, in its order. `findings` are values that fail."""

    rules: RuleSet
    inventory: Inventory
    parameters: tuple[ParameterAssignment, ...]
    unanswered: tuple[UnansweredSelector, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        # What is known by `id` is another process's, and worthless in a copy.
        return {key: vars(self)[key] for key in self.__dataclass_fields__}

    @cached_property
    def treated_alike(self) -> tuple[tuple[ParameterAssignment, ...], ...]:
        """The parameters, grouped by what the rules decide for them.

        Those of one tuple differ only in captured numbers that change nothing, so what holds for
        the first holds for all. Tuples are in the order of their first parameters, each in the
        model's order.
        """
        alike: dict[int, list[ParameterAssignment]] = {}
        for assigned in self.parameters:
            alike.setdefault(id(assigned[2]), []).append(assigned)
        return tuple(map(tuple, alike.values()))

    @cached_property
    def order(self) -> Mapping[int, int]:
        """The place of each parameter, by its `id`, in the model's order."""
        return {id(assigned.parameter): i for i, assigned in enumerate(self.parameters)}
