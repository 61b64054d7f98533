"""What every check looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language.ruleset import Optimizer, Rule, RuleSet
from grouper.match.assignment import Assignment, Setting
from grouper.model.inventory import Inventory, Parameter
from grouper.options.signatures import Signature


@dataclass(frozen=True)
class GroupOption:
    """What one option of a rule asks of a group, for which of its parameters."""

    group: Group
    setting: Setting
    parameters: list[Parameter]


@dataclass(frozen=True)
class Context:
    """The values of all stages for one model and one rule set.

    `signatures` are those of the declared optimizers, by the names that the file gives them, as far
    as they are known. `alone` says that there is no model, only rules.
    """

    rules: RuleSet
    inventory: Inventory
    assignment: Assignment
    grouping: Grouping
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    alone: bool = False

    @cached_property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The declared optimizers, by the names that the file gives them."""
        return self.rules.optimizers_by_name

    @cached_property
    def asked(self) -> Mapping[str, tuple[GroupOption, ...]]:
        """For each group by its name, what counts of the rules' options in it."""
        of = {id(assigned.parameter): assigned for assigned in self.assignment.parameters}
        found: dict[str, tuple[GroupOption, ...]] = {}
        for group in self.grouping.groups:
            asked: dict[int, GroupOption] = {}
            for parameter in group.parameters:
                for setting in of[id(parameter)].settings:
                    if setting.effective:
                        new = GroupOption(group, setting, [])
                        asked.setdefault(id(setting.option), new).parameters.append(parameter)
            found[group.name] = tuple(asked.values())
        return found

    @property
    def frozen_model(self) -> bool:
        """Whether the model itself has frozen all of its parameters."""
        parameters = self.inventory.parameters
        return bool(parameters) and all(p.trainable is False for p in parameters)


def all_names(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """The parameters' names; all of them for a tied one."""
    return tuple(" = ".join(parameter.names) for parameter in parameters)


def rule_name(rule: Rule) -> str:
    """What a rule is called in messages: its label, or its place."""
    if rule.label is not None and rule.label.span is not None:
        return f"`{rule.label.span.text}`"
    if rule.label is not None:
        return (
            "`"
            + "".join(
                getattr(p, "text", f"{{{getattr(p, 'name', '')}}}") for p in rule.label.pieces
            )
            + "`"
        )
    return f"the rule in line {rule.span.line}" if rule.span is not None else "a rule"
