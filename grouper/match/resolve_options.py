"""The options of a parameter, of what the rules that match it say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from grouper.findings import Code, Finding, Label
from grouper.language.resolve.walk import calls, captures
from grouper.language.ruleset import Optimizer, RuleSet
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue, Scope, as_number, evaluate
from grouper.match import codes
from grouper.match.assignment import Match, ParameterAssignment, Setting
from grouper.model.inventory import Parameter
from grouper.options.values import Value, quoted_value, same


@dataclass
class _Fault:
    finding: Finding
    parameters: list[str] = field(default_factory=list)


class Options:
    """Turns a parameter's rules into its options."""

    def __init__(self, rules: RuleSet, greatest: Mapping[int, Mapping[str, int]]) -> None:
        self._rules = rules
        self._greatest = greatest
        self._optimizers = rules.optimizers_by_name
        self._plan_defaults = _plan_defaults(rules)
        self._faults: dict[tuple[object, ...], _Fault] = {}
        self._splits = frozenset(rules.splits)

    def findings(self) -> list[Finding]:
        return [
            replace(fault.finding, parameters=tuple(fault.parameters))
            for fault in self._faults.values()
        ]

    def assigned(self, parameter: Parameter, matches: tuple[Match, ...]) -> ParameterAssignment:
        given = [s for match in matches for s in self._settings(match, parameter)]
        frozen = parameter.trainable is False or any(m.rule.freezes for m in matches)
        chosen, conflicts = _choose([s for s in given if s[1].operator == "="])
        settings = tuple(
            Setting(m.rule, o, v, o.operator == "*=" or _won(chosen, o.key, v)) for m, o, v in given
        )
        options = self._final(chosen, [s for s in given if s[1].operator == "*="], parameter)
        unmatched, doubled = ((), ()) if frozen else self._coverage(matches)
        return ParameterAssignment(
            parameter,
            matches,
            settings,
            _labels(matches),
            MappingProxyType(options),
            unmatched,
            doubled,
            conflicts,
            frozen,
        )

    def _settings(
        self, match: Match, parameter: Parameter
    ) -> Iterable[tuple[Match, tree.Option, Value]]:
        for option in match.rule.options:
            if option.operator == "flag":
                continue
            try:
                yield match, option, self._value(match, option, parameter)
            except BadValue as fault:
                place = fault.span or option.span
                self._fault(
                    parameter,
                    ("value", id(option), place),
                    codes.BAD_RESULT,
                    fault.message,
                    Label(place) if place else None,
                    fault.help or "select the parameters for which it has a value",
                )

    def _value(self, match: Match, option: tree.Option, parameter: Parameter) -> Value:
        if isinstance(option.value, tree.Number | tree.Constant | tree.String):
            return option.value.value
        greatest = self._greatest[id(match.rule)]
        if any(call.function == "max" for call in calls(option.value)):
            missing = captures(match.rule.selector) - set(match.captures)
            if missing:
                raise BadValue(_no_number(missing), option.value.span)
        scope = Scope(self._rules.variables, match.captures, parameter, greatest)
        if isinstance(option.value, tree.Word):
            wanted = captures(match.rule.selector) - set(match.captures)
            if option.value.name in wanted:
                raise BadValue(_no_number(wanted), option.value.span)
        value = evaluate(option.value, scope)
        return as_number(value, option.value) if option.operator == "*=" else value

    def _final(
        self,
        chosen: Mapping[str, Value],
        factors: list[tuple[Match, tree.Option, Value]],
        parameter: Parameter,
    ) -> dict[str, Value]:
        options = {**self._defaults(chosen.get("optimizer")), **chosen}
        by_key: dict[str, list[tuple[tree.Option, float]]] = {}
        for _, option, value in factors:
            assert isinstance(value, int | float)
            by_key.setdefault(option.key, []).append((option, value))
        for key, given in by_key.items():
            base = options.get(key, self._plan_defaults.get(key))
            if isinstance(base, bool) or not isinstance(base, int | float):
                self._no_base(parameter, given[0][0], base)
                continue
            for factor in sorted(value for _, value in given):  # one order for all orders of rules
                base = base * factor
            options[key] = self._finite(base, parameter, given[0][0])
        return options

    def _defaults(self, name: Value) -> Mapping[str, Value]:
        chosen: Optimizer | None = None
        if isinstance(name, str):
            chosen = self._optimizers.get(name)
        elif self._rules.optimizers:
            chosen = self._rules.optimizers[0]
        return chosen.options if chosen else {}

    def _finite(self, value: float, parameter: Parameter, option: tree.Option) -> Value:
        try:
            return as_number(value, option)
        except BadValue as fault:
            place = Label(option.span) if option.span else None
            key = ("product", id(option))
            self._fault(
                parameter, key, codes.BAD_RESULT, fault.message, place, "use smaller factors"
            )
            return None

    def _no_base(self, parameter: Parameter, option: tree.Option, base: Value) -> None:
        what = "nothing sets it" if base is None else f"it is {quoted_value(base)}"
        self._fault(
            parameter,
            ("base", id(option)),
            codes.NOTHING_TO_MULTIPLY,
            f"`{option.key}*=` has no number to multiply: {what}",
            Label(option.span) if option.span else None,
            f"set `{option.key}=` in another rule or in the `optimizer` statement",
        )

    def _fault(
        self,
        parameter: Parameter,
        key: tuple[object, ...],
        code: Code,
        message: str,
        label: Label | None = None,
        help: str = "",
    ) -> None:
        labels = (label,) if label else ()
        fault = self._faults.setdefault(key, _Fault(Finding(code, message, labels, help=help)))
        fault.parameters.append(parameter.name)

    def _coverage(
        self, matches: tuple[Match, ...]
    ) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
        """The blocks that no rule matched in, and the splits that several did."""
        count: dict[str | None, int] = {}
        for match in matches:
            count[match.rule.split] = count.get(match.rule.split, 0) + 1
        if not self._splits:
            return (() if matches else (None,)), ()
        unmatched = tuple(name for name in self._rules.splits if name not in count)
        return unmatched, tuple(name for name in self._rules.splits if count.get(name, 0) > 1)


def _choose(
    given: list[tuple[Match, tree.Option, Value]],
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The value of each key, and the keys over which rules disagree."""
    chosen: dict[str, Value] = {}
    conflicts = []
    for key in dict.fromkeys(option.key for _, option, _ in given):
        values = [(match.rule.override, value) for match, o, value in given if o.key == key]
        overriding = [value for override, value in values if override]
        distinct = _distinct(value for _, value in values)
        if len(distinct) > 1 and overriding:
            distinct = _distinct(overriding)
        if len(distinct) > 1:
            conflicts.append(key)
        else:
            chosen[key] = distinct[0]
    return chosen, tuple(conflicts)


def _distinct(values: Iterable[Value]) -> list[Value]:
    found: list[Value] = []
    for value in values:
        if not any(same(value, other) for other in found):
            found.append(value)
    return found


def _won(chosen: Mapping[str, Value], key: str, value: Value) -> bool:
    return key in chosen and same(chosen[key], value)


def _labels(matches: tuple[Match, ...]) -> tuple[str, ...]:
    labels = []
    for match in matches:
        if match.rule.label is not None:
            pieces = match.rule.label.pieces
            labels.append(
                "".join(
                    piece.text
                    if isinstance(piece, tree.Text)
                    else str(match.captures.get(piece.name, ""))
                    for piece in pieces
                )
            )
    return tuple(dict.fromkeys(labels))


def _plan_defaults(rules: RuleSet) -> dict[str, Value]:
    """What the `warmup` and `schedule` statements set, by the plan's keys."""
    defaults: dict[str, Value] = {}
    if rules.warmup is not None:
        warmup = rules.warmup
        defaults = {
            "warmup_start": warmup.start,
            "warmup_epochs": warmup.epochs,
            "warmup_steps": warmup.steps,
            "warmup_momentum": warmup.momentum,
        }
    if rules.schedule is not None and "final" in rules.schedule.options:
        defaults["final"] = rules.schedule.options["final"]
    return defaults


def _no_number(names: Iterable[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    return f"{listed} is no whole number in this name"
