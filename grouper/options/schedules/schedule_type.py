"""The definition of a schedule: its factor, its options, and its key times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from grouper.options.kinds import AFTER, CLOCK, COUNT, Constraint, Options
from grouper.options.values import Value
from grouper.text.dataclass import dataclass, field

Factor = Callable[[float, float, float], float]
KeyTimes = Callable[[float, float, Mapping[str, Any]], Iterable[tuple[float, str]]]

# The options of every schedule. `every`: the unit of time. `lag`: the delay after warm-up, in
# epochs or steps. `after=warmup`: time starts where the group's warm-up ends.
SHARED: Options = MappingProxyType(
    {"every": (CLOCK, "epoch"), "lag": (COUNT, 0), "after": (AFTER, None)}
)


def _none(time: float, whole: float, options: Mapping[str, Any]) -> Iterable[tuple[float, str]]:
    return ()


@dataclass(frozen=True)
class ScheduleType:
    """The definition of a schedule.

    `function(x, total, **options)` is the factor of the lr at time `x` of `total`, both in epochs,
    or in steps with `every=step`; with `of_whole_run`, it also takes `whole`, the length of the run
    including warm-up. It must be self-contained, because generated programs contain its source.
    `own` are its options with their defaults; exactly one of the two in `exactly_one` is required.
    `in_time` are options in epochs or steps. `key_times(total, whole, options)` are the times of
    interest, each with a word for it. `moves` is False if the factor is always 1.
    """

    function: Callable[..., float]
    own: Options = field(default_factory=dict)
    exactly_one: tuple[str, str] | None = None
    in_time: tuple[str, ...] = ()
    key_times: KeyTimes = _none
    of_whole_run: bool = False
    moves: bool = True

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def options(self) -> Options:
        """The constraint and the default of each option, including those of every schedule."""
        return {**self.own, **SHARED}

    def missing_option(self, options: Mapping[str, Value]) -> str | None:
        """What is missing from the options, or given twice, in words; None if they are complete."""
        if self.exactly_one is None:
            return None
        first, second = self.exactly_one
        has = [options.get(option) is not None for option in self.exactly_one]
        if has[0] != has[1]:
            return None
        both = ", not both" if all(has) else ""
        return f"`schedule {self.name}` needs `{first}` or `{second}`{both}"

    def arguments(self, options: Mapping[str, Value]) -> dict[str, Any]:
        """The keyword arguments of `function`: the schedule's own options, with defaults."""
        return {key: options.get(key, default) for key, (_, default) in self.own.items()}

    def factor(self, options: Mapping[str, Value]) -> Factor:
        """`f(x, total, whole)`, the factor at time `x`: 1 at time 0, and constant from `total` on
        for schedules with a `final`. Raises ValueError if an option is missing."""
        missing = self.missing_option(options)
        if missing:
            raise ValueError(missing)
        function, arguments = self.function, self.arguments(options)
        if self.of_whole_run:
            return lambda x, total, whole: function(x, total, whole=whole, **arguments)
        return lambda x, total, whole: function(x, total, **arguments)


def own(**options: tuple[Constraint, Value]) -> Options:
    """The options of a schedule, each with its constraint and its default."""
    return MappingProxyType(options)
