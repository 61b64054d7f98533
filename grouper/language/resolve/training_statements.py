"""The statements `optimizer`, `warmup` and `schedule`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.resolve.option_check import OptionCheck, plain
from grouper.language.resolve.schedule_options import beside_schedule
from grouper.language.resolve.variables import INVALID, Variables
from grouper.language.ruleset import Optimizer, PlanValue, Rule, Schedule, Warmup
from grouper.language.syntax import tree
from grouper.options.foreign import IN_STATEMENTS, SCHEDULE_NAMES
from grouper.options.kinds import Options
from grouper.options.plan_keys import LENGTHS, PLAN, WARMUP
from grouper.options.read_only import ReadOnly
from grouper.options.schedules import SCHEDULES
from grouper.options.schedules.schedule_type import ScheduleType
from grouper.options.torch_values import as_torch_takes
from grouper.options.values import value_text
from grouper.text.printable import quoted_list
from grouper.text.source import Span


class TrainingStatements:
    """What a file says of the optimizers and the plan."""

    def __init__(
        self, variables: Variables, options: OptionCheck, diagnostics: Diagnostics
    ) -> None:
        self._variables = variables
        self._options = options
        self._diagnostics = diagnostics
        self.optimizers: list[Optimizer] = []
        self.warmup: Warmup | None = None
        self.schedule: Schedule | None = None
        self.schedules: dict[str, Schedule] = {}

    def optimizer(self, statement: tree.Optimizer) -> None:
        """Take an `optimizer` statement; the plan's keys among its options are kept apart."""
        known = {key: (constraint, None) for key, constraint in PLAN.items()}
        values, spans = self._settings(statement.options, known, "optimizer", others=True)
        if ":" not in statement.name:  # the constructor of another class may take such an option
            beside_schedule(statement.options, (), self._variables.values, self._diagnostics)
        own = {
            key: as_torch_takes(key, value)
            for key, value in plain(values).items()
            if key not in PLAN
        }
        plan = {key: value for key, value in values.items() if key in PLAN}
        self.optimizers.append(
            Optimizer(
                statement.name,
                statement.alias,
                ReadOnly(own),
                ReadOnly(plan),
                statement.span,
                spans,
            )
        )

    def check_optimizer_names(self, rules: list[Rule]) -> None:
        """Report optimizers of one name, and rules that send groups to none that is declared."""
        names = Counter(optimizer.key for optimizer in self.optimizers)
        seen: dict[str, Optimizer] = {}
        for optimizer in self.optimizers:
            first = seen.setdefault(optimizer.key, optimizer)
            if first is not optimizer:
                self._diagnostics.twice(
                    f"an optimizer `{optimizer.key}`",
                    optimizer.span,
                    first.span,
                    "give each its own name: `optimizer SGD as body ...`",
                )
        for rule in rules:
            for option in rule.options:
                if option.key == "optimizer":
                    value = self._variables.value(option.value)
                    if value not in names and value is not INVALID:
                        span = option.value.span
                        self._diagnostics.unknown("optimizer", str(value), names, span)

    def take_warmup(self, statement: tree.Warmup) -> None:
        """Take the `warmup` statement, of which there may be one."""
        if self.warmup is not None:
            self._diagnostics.twice("`warmup`", statement.span, self.warmup.span)
            return
        values, spans = self._settings(statement.options, WARMUP, "warmup")
        lengths = [key for key in LENGTHS if key in values]
        if len(lengths) > 1:
            self._diagnostics.report(
                codes.BAD_VALUE,
                f"a warm-up has one length, and {quoted_list(lengths)} are given",
                spans[lengths[1]],
                "remove one of them",
                also=spans[lengths[0]],
            )
        if "min_steps" in values and "steps" in values:
            self._diagnostics.report(
                codes.BAD_VALUE,
                "`min_steps` bounds a warm-up in epochs; one in steps is exactly that long",
                spans["min_steps"],
                "remove it",
                also=spans["steps"],
            )
        given = {name: values.get(name, default) for name, (_, default) in WARMUP.items()}
        self.warmup = Warmup(**given, span=statement.span)  # type: ignore[arg-type]

    def take_schedule(self, statement: tree.Schedule) -> None:
        """Take a `schedule` statement: one for the lr, and one for each other option."""
        before = self.schedule if statement.key is None else self.schedules.get(statement.key)
        what = "`schedule`" if statement.key is None else f"`schedule {statement.key}`"
        if before is not None:
            self._diagnostics.twice(what, statement.span, before.span)
            return
        if statement.key == "lr" or statement.key in PLAN:
            self._diagnostics.report(
                codes.MISPLACED_OPTION,
                f"`{statement.key}` cannot be named here: `schedule NAME` is that of the lr, and"
                " other options are those of an optimizer",
                statement.key_span,
                f"write `schedule {statement.name} ...`",
            )
            return
        name = self._schedule_name(statement)
        if name is INVALID:
            return
        kind = SCHEDULES.get(name)
        if kind is None:
            self._diagnostics.unknown(
                "schedule", name, SCHEDULES, statement.name_span, SCHEDULE_NAMES.get(name)
            )
            return
        where = f"schedule {name}" if statement.key is None else f"schedule {statement.key} {name}"
        own = statement.key or "lr"
        values, spans = self._settings(statement.options, kind.options, where, own=own)
        self._check_together(kind, values, spans, statement.span)
        schedule = Schedule(name, values, statement.span)
        if statement.key is None:
            self.schedule = schedule
        else:
            self.schedules[statement.key] = schedule

    def _check_together(
        self,
        kind: ScheduleType,
        values: Mapping[str, Any],
        spans: Mapping[str, Span | None],
        at: Span | None,
    ) -> None:
        """Report options of a schedule that need or exclude each other."""
        missing = kind.missing_option(values)
        if missing is not None and kind.exactly_one is not None:
            first, second = kind.exactly_one
            place = spans.get(second, at)
            help = f"write one of them, such as `{first}=`"
            self._diagnostics.report(codes.BAD_VALUE, missing, place, help)
        if "after" in values and values.get("lag"):
            self._diagnostics.report(
                codes.BAD_VALUE,
                "`lag` follows a schedule late, and `after=warmup` begins it after the warm-up",
                spans["lag"],
                "remove one of them",
                also=spans["after"],
            )

    def _unknown(self, option: tree.Option, known: Options, where: str) -> None:
        foreign = IN_STATEMENTS.get(option.key)
        if foreign is None or (foreign.key is not None and foreign.key not in known):
            self._diagnostics.unknown("option", option.key, known, option.key_span)
        else:
            self._diagnostics.foreign(option, where, foreign)

    def _schedule_name(self, statement: tree.Schedule) -> Any:
        """The schedule's own name, or the one that a variable holds."""
        values = self._variables.values
        if statement.name in SCHEDULES or statement.name not in values:
            return statement.name
        self._variables.used.add(statement.name)
        value = values[statement.name]
        return value if value is INVALID or isinstance(value, str) else value_text(value)

    def _settings(
        self,
        options: tuple[tree.Option, ...],
        known: Options,
        where: str,
        others: bool = False,
        own: str = "lr",
    ) -> tuple[Mapping[str, PlanValue], Mapping[str, Span]]:
        """The evaluated options of a statement, and their places; `others` may be of any name."""
        self._options.unique(options)
        values: dict[str, PlanValue] = {}
        spans: dict[str, Span] = {}
        for option in options:
            if option.operator != "=":
                sign = "" if option.operator == "flag" else option.operator
                self._diagnostics.report(
                    codes.MISPLACED_OPTION,
                    f"`{option.key}{sign}` has no meaning in `{where}`",
                    option.span,
                    "statements only set (`key=value`)",
                )
                continue
            if option.key not in known and not others:
                self._unknown(option, known, where)
                continue
            constraint = known[option.key][0] if option.key in known else None
            value = self._options.value(option, constraint, own)
            if value is INVALID:
                continue
            values[option.key] = value
            if option.span is not None:
                spans[option.key] = option.span
        return ReadOnly(values), ReadOnly(spans)
