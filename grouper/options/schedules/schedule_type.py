"""What defines a schedule: its factor, its options, and the times worth looking at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from grouper.options.kinds import AFTER, CLOCK, COUNT, Constraint, Options
from grouper.options.values import Value
from grouper.text.dataclass import dataclass, field

Factor = Callable[[float, float, float], float]
KeyTimes = Callable[[float, float, Mapping[str, Any]], Iterable[tuple[float, str]]]

# The options of every schedule. `every`: what time is counted in. `lag`: so many epochs or steps
# late after warm-up. `after=warmup`: time begins where the group's warm-up ends.
SHARED: Options = MappingProxyType(
    {"every": (CLOCK, "epoch"), "lag": (COUNT, 0), "after": (AFTER, None)}
)


def _none(time: float, whole: float, options: Mapping[str, Any]) -> Iterable[tuple[float, str]]:
    return ()


@dataclass(frozen=True)
class ScheduleType:
    """A schedule by its definition.

    `function(x, total, **options)` is the factor of the lr at time `x` of `total`: both in epochs,
    or in steps under `every=step`; where `of_whole_run`, it is also given `whole`, the length of
    the run with its warm-up. It is self-contained, as emitted programs take its source. `own` are
    its options with their defaults; of the two in `exactly_one`, one is to be given. `in_time` are
    options that are counted in epochs or steps, not as shares. `key_times(total, whole, options)`
    are times that are worth looking at, with a word for each. `moves` is False where the factor
    is always 1.
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
        """What each option must be, and its default: its own options and those of every one."""
        return {**self.own, **SHARED}

    def missing_option(self, options: Mapping[str, Value]) -> str | None:
        """What the options lack or have too much of, in words; None where they suffice."""
        if self.exactly_one is None:
            return None
        first, second = self.exactly_one
        has = [options.get(option) is not None for option in self.exactly_one]
        if has[0] != has[1]:
            return None
        both = ", not both" if all(has) else ""
        return f"`schedule {self.name}` needs `{first}` or `{second}`{both}"

    def arguments(self, options: Mapping[str, Value]) -> dict[str, Any]:
        """The keyword arguments of `function`: its own options, defaults filled in."""
        return {key: options.get(key, default) for key, (_, default) in self.own.items()}

    def factor(self, options: Mapping[str, Value]) -> Factor:
        """`f(x, total, whole)`, the factor at time `x`. At 0 it is 1, and from `total` on those
        that have a `final` stay there. Raises ValueError where the options do not suffice."""
        missing = self.missing_option(options)
        if missing:
            raise ValueError(missing)
        function, arguments = self.function, self.arguments(options)
        if self.of_whole_run:
            return lambda x, total, whole: function(x, total, whole=whole, **arguments)
        return lambda x, total, whole: function(x, total, **arguments)


def own(**options: tuple[Constraint, Value]) -> Options:
    """The options of a schedule: for each, what its value must be, and its default."""
    return MappingProxyType(options)
