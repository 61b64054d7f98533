"""For each parameter: the rules that matched it, and the options that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory, Parameter
from grouper.options.values import Value


@dataclass(frozen=True)
class Match:
    """A rule that matches a parameter, by which of its names, with what numbers captured."""

    rule: Rule
    name: str
    captures: Mapping[str, int]


@dataclass(frozen=True)
class Setting:
    """What one rule says about one key of one parameter. `won` where it counts."""

    rule: Rule
    option: tree.Option
    value: Value
    won: bool


@dataclass(frozen=True)
class ParameterAssignment:
    """One parameter's lot; `settings` keeps the losing rules too.

    `unmatched_in` and `doubled_in` name the splits (None: the top level) that no rule, or
    several rules, of theirs matched. `conflicts` are the keys with more than one value.
    `options` are final: optimizer defaults, then settings, then multipliers.
    """

    parameter: Parameter
    matches: tuple[Match, ...]
    settings: tuple[Setting, ...]
    labels: tuple[str, ...]
    options: Mapping[str, Value]
    uncovered_splits: tuple[str | None, ...] = ()
    overlapping_splits: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    frozen: bool = False


@dataclass(frozen=True)
class Unknown:
    """A question of a selector that the inventory cannot answer for these parameters."""

    rule: Rule | None
    selector: tree.Selector
    question: str
    reason: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Assignment:
    """Every parameter of the inventory, in its order."""

    rules: RuleSet
    inventory: Inventory
    parameters: tuple[ParameterAssignment, ...]
    unknowns: tuple[Unknown, ...] = ()
