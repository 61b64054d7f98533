"""The statements `optimizer`, `warmup` and `schedule`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from grouper.language.resolve import codes
from grouper.language.resolve.scope import INVALID, Names
from grouper.language.ruleset import Optimizer, Rule, Schedule, Warmup
from grouper.language.syntax import tree
from grouper.options.kinds import Constraint
from grouper.options.plan_keys import PLAN_KEYS, WARMUP
from grouper.options.schedules import EXACTLY_ONE_OF, SCHEDULES, lacking
from grouper.options.values import Value, value_text
from grouper.text.source import Span


class Training(Names):
    """What a file says of the optimizers and the plan."""

    def __init__(self, overrides: Mapping[str, Value]) -> None:
        super().__init__(overrides)
        self.optimizers: list[Optimizer] = []
        self.warmup: Warmup | None = None
        self.schedule: Schedule | None = None

    def _optimizer(self, statement: tree.Optimizer) -> None:
        options, spans = self._settings(statement.options, None, "optimizer")
        self.optimizers.append(
            Optimizer(statement.name, statement.alias, options, statement.span, spans)
        )

    def _optimizer_names(self, rules: list[Rule]) -> None:
        names = Counter(optimizer.key for optimizer in self.optimizers)
        seen: dict[str, Optimizer] = {}
        for optimizer in self.optimizers:
            name = optimizer.key
            if name in seen:
                self.twice(
                    f"an optimizer `{name}`",
                    optimizer.span,
                    seen[name].span,
                    "give each its own name: `optimizer SGD as body ...`",
                )
            seen.setdefault(name, optimizer)
        for rule in rules:
            for option in rule.options:
                if option.key == "optimizer":
                    self._declared(option, names)

    def _declared(self, option: tree.Option, names: Mapping[str, int]) -> None:
        value = self._value(option.value)
        if value not in names and value is not INVALID:
            self.unknown("optimizer", str(value), names, option.value.span)

    def _warmup(self, statement: tree.Warmup) -> None:
        if self.warmup is not None:
            self.twice("`warmup`", statement.span, self.warmup.span)
            return
        given, spans = self._settings(statement.options, WARMUP, "warmup")
        if "epochs" in given and "steps" in given:
            self.report(
                codes.BAD_VALUE,
                "a warm-up is so many epochs long or so many steps, not both",
                spans["steps"],
                "take one of them away",
                also=spans["epochs"],
            )
        if "min_steps" in given and "steps" in given:
            self.report(
                codes.BAD_VALUE,
                "`min_steps` bounds a warm-up in epochs; one in steps is exactly that long",
                spans["min_steps"],
                "take it away",
                also=spans["steps"],
            )
        values = {name: given.get(name, default) for name, (_, default) in WARMUP.items()}
        self.warmup = Warmup(**values, span=statement.span)  # type: ignore[arg-type]

    def _schedule(self, statement: tree.Schedule) -> None:
        if self.schedule is not None:
            self.twice("`schedule`", statement.span, self.schedule.span)
            return
        name = self._schedule_name(statement)
        if name is INVALID:
            return
        options = SCHEDULES.get(name)
        if options is None:
            self.unknown("schedule", name, SCHEDULES, statement.span)
            return
        given, spans = self._settings(statement.options, options, f"schedule {name}")
        self._schedule_needs(name, statement, given, spans)
        self.schedule = Schedule(name, given, statement.span)

    def _schedule_name(self, statement: tree.Schedule) -> Any:
        """The schedule's own name, or the one that a variable holds."""
        if statement.name in SCHEDULES or statement.name not in self.variables:
            return statement.name
        self.used.add(statement.name)
        held = self.variables[statement.name]
        return held if held is INVALID or isinstance(held, str) else value_text(held)

    def _schedule_needs(
        self,
        name: str,
        statement: tree.Schedule,
        given: Mapping[str, Value],
        spans: Mapping[str, Span],
    ) -> None:
        fault = lacking(name, given)
        if fault is not None:
            first, second = EXACTLY_ONE_OF[name]
            self.report(
                codes.BAD_VALUE,
                fault,
                spans.get(second, statement.span),
                f"write one of them, such as `{first}=`",
            )

    def _settings(
        self,
        options: tuple[tree.Option, ...],
        known: Mapping[str, tuple[Constraint, Value]] | None,
        where: str,
    ) -> tuple[Mapping[str, Value], Mapping[str, Span]]:
        """The evaluated options of a statement, and their places."""
        self._keys(options)
        values: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for option in options:
            if option.operator != "=" or (known is None and option.key in PLAN_KEYS):
                self.report(
                    codes.MISPLACED_OPTION,
                    f"`{option.key}{'' if option.operator == 'flag' else option.operator}` has no"
                    f" meaning in `{where}`",
                    option.span,
                    "statements only set (`key=value`); the plan's keys belong to"
                    " `warmup` and `schedule`",
                )
                continue
            if known is None:
                self._spelling(option)
            if known is not None and option.key not in known:
                self.unknown("option", option.key, known, option.key_span)
                continue
            if self._words(option.value, self.variables, option.key == "lr"):
                continue
            value = self._value(option.value)
            if value is INVALID or (known and not self._kind(option, value, known[option.key][0])):
                continue
            values[option.key] = value
            if option.span is not None:
                spans[option.key] = option.span
        return MappingProxyType(values), MappingProxyType(spans)
