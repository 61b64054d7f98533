"""What every check looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grouper.assignment import Assignment
from grouper.findings import Label
from grouper.grouping import Grouping
from grouper.inventory.model import Inventory, Parameter
from grouper.ruleset.model import Rule, RuleSet
from grouper.source import Span


@dataclass(frozen=True)
class Facts:
    """The values of all stages for one model and one rule set."""

    rules: RuleSet
    inventory: Inventory
    assignment: Assignment
    grouping: Grouping

    @property
    def frozen_model(self) -> bool:
        """Whether the model itself has frozen all of its parameters."""
        parameters = self.inventory.parameters
        return bool(parameters) and all(p.trainable is False for p in parameters)


def names(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """The parameters' names; all of them for a tied one."""
    return tuple(" = ".join(parameter.names) for parameter in parameters)


def count(parameters: Sequence[object]) -> str:
    """`1 parameter`, `6 parameters`."""
    return f"{len(parameters)} parameter{'s' * (len(parameters) != 1)}"


def labelled(span: Span | None, message: str = "") -> tuple[Label, ...]:
    return (Label(span, message),) if span is not None else ()


def called(rule: Rule) -> str:
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
