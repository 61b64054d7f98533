"""The trained parameters, with their kinds, groups and the rules that set their options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from grouper.checks.module_kinds import Kind
from grouper.group.group import Group
from grouper.language.ruleset import Rule
from grouper.match.assignment import Decision, ParameterAssignment, Setting
from grouper.model.inventory import Parameter
from grouper.options.values import Value
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Label, labels_at


@dataclass(frozen=True, eq=False)
class Treated:
    """The group and the option values that all parameters with one decision share. `defaults` are
    those of the optimizer's class."""

    decision: Decision
    group: Group
    defaults: Mapping[str, Value]
    _numbers: dict[str, float | None] = field(default_factory=dict)
    _settings: dict[str, Setting | None] = field(default_factory=dict)

    def value(self, key: str) -> Value:
        if key in self.decision.conflicts:
            return None  # the conflict is reported, and there is no value
        if key == "optimizer":
            return self.group.optimizer
        for options in (self.group.options, self.group.plan, self.defaults):
            if key in options:
                return options[key]
        return None

    def number(self, key: str) -> float | None:
        if key not in self._numbers:
            value = self.value(key)
            self._numbers[key] = float(value) if isinstance(value, int | float) else None
        return self._numbers[key]

    def setting(self, key: str) -> Setting | None:
        if key not in self._settings:
            settings = [s for s in self.decision.settings if s.option.key == key and s.effective]
            self._settings[key] = settings[-1] if settings else None
        return self._settings[key]


class Trained(NamedTuple):
    """A parameter that is in a group."""

    assigned: ParameterAssignment
    treated: Treated
    kind: Kind

    @property
    def parameter(self) -> Parameter:
        return self.assigned.parameter

    @property
    def name(self) -> str:
        return self.assigned.parameter.names[0]

    @property
    def group(self) -> Group:
        return self.treated.group

    def value(self, key: str) -> Value:
        """The value of an option or a key of the plan, or else the class's default."""
        return self.treated.value(key)

    def number(self, key: str) -> float | None:
        """The value of an option if it is a number, or None."""
        return self.treated.number(key)

    def setting(self, key: str) -> Setting | None:
        """The last effective setting of an option by a rule; None if no rule sets it."""
        return self.treated.setting(key)

    def rule(self, key: str) -> Rule | None:
        """The rule that sets an option, or else the last rule that matches."""
        setting = self.treated.setting(key)
        if setting is not None:
            return setting.rule
        return self.assigned.rules[-1] if self.assigned.rules else None


def most_common_rule(trained: Iterable[Trained], key: str, deciding: bool = True) -> Rule | None:
    """The rule that sets an option for most of these parameters. With `deciding=False`, a rule that
    only matches counts if none sets it."""
    counts: dict[int, list[Rule]] = {}
    for one in trained:
        setting = one.setting(key)
        rule = setting.rule if setting is not None else None if deciding else one.rule(key)
        if rule is not None:
            counts.setdefault(id(rule), []).append(rule)
    return max(counts.values(), key=len)[0] if counts else None


def place_of(rule: Rule | None, key: str | None = None, message: str = "") -> tuple[Label, ...]:
    """A label at the option of a rule, or else at the rule."""
    if rule is None:
        return ()
    option = next((option for option in rule.options if option.key == key), None)
    return labels_at((option.span if option is not None else None) or rule.span, message)
