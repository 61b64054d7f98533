"""The parameters that are trained: what each is, which group it is in, which rule decided what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grouper.checks.module_kinds import Kind
from grouper.findings import Label, labels_at
from grouper.group.group import Group
from grouper.language.ruleset import Rule
from grouper.match.assignment import ParameterAssignment, Setting
from grouper.model.inventory import Parameter
from grouper.options.values import Value


@dataclass(frozen=True)
class Trained:
    """A parameter that is in a group. `defaults` are those of its optimizer's class."""

    assigned: ParameterAssignment
    group: Group
    kind: Kind
    defaults: Mapping[str, Value]

    @property
    def parameter(self) -> Parameter:
        return self.assigned.parameter

    @property
    def name(self) -> str:
        return self.assigned.parameter.name

    def value(self, key: str) -> Value:
        """An option or a key of the plan; the class's default where nothing sets it."""
        if key in self.assigned.conflicts:
            return None  # it has none yet, and that is reported
        if key == "optimizer":
            return self.group.optimizer
        for options in (self.group.options, self.group.plan, self.defaults):
            if key in options:
                return options[key]
        return None

    def number(self, key: str) -> float | None:
        """The same, None where it is no number."""
        value = self.value(key)
        return float(value) if isinstance(value, int | float) else None

    def setting(self, key: str) -> Setting | None:
        """What a rule says of an option, the last of those that count; None where no rule does."""
        found = [s for s in self.assigned.settings if s.option.key == key and s.effective]
        return found[-1] if found else None

    def rule(self, key: str) -> Rule | None:
        """The rule that decides an option, else the last one that matches."""
        setting = self.setting(key)
        if setting is not None:
            return setting.rule
        return self.assigned.matches[-1].rule if self.assigned.matches else None


def most_common_rule(trained: Iterable[Trained], key: str, deciding: bool = True) -> Rule | None:
    """The rule that sets an option of most of these; where not `deciding`, one that matches will
    do."""
    counts: dict[int, list[Rule]] = {}
    for one in trained:
        setting = one.setting(key)
        rule = setting.rule if setting is not None else None if deciding else one.rule(key)
        if rule is not None:
            counts.setdefault(id(rule), []).append(rule)
    return max(counts.values(), key=len)[0] if counts else None


def place_of(rule: Rule | None, key: str | None = None, message: str = "") -> tuple[Label, ...]:
    """Where a rule sets an option, or else the rule."""
    if rule is None:
        return ()
    option = next((option for option in rule.options if option.key == key), None)
    return labels_at((option.span if option is not None else None) or rule.span, message)
