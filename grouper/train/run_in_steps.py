"""Which settings count epochs, and so are refused where a run is given in steps alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grouper.language.ruleset import PlanValue, RuleSet, Schedule
from grouper.options.schedules import SCHEDULES
from grouper.options.values import Configured
from grouper.text.printable import quoted_list


def refuse_epochs(group: str, rules: RuleSet, given: Mapping[str, PlanValue]) -> None:
    """Raises ValueError where the rules, or `given` of a group, count epochs."""
    counted = [*_lengths(rules, given), *_of_schedules(rules, given)]
    if counted:
        raise ValueError(
            f"a run of steps alone has no epochs, and the rules of the group `{group}` count them"
            f" in {quoted_list(dict.fromkeys(counted))}: count steps there (`every=step`,"
            " `warmup_steps`, `from_step`), or plan with `steps_per_epoch` and `epochs`"
        )


def _lengths(rules: RuleSet, given: Mapping[str, PlanValue]) -> Iterator[str]:
    own = given.keys() & {"warmup_steps", "warmup_share", "warmup_epochs"}
    if rules.warmup is not None and rules.warmup.epochs is not None and not own:
        yield "warmup epochs"
    yield from (key for key in ("warmup_epochs", "from_epoch", "until_epoch") if key in given)


def _of_schedules(rules: RuleSet, given: Mapping[str, PlanValue]) -> Iterator[str]:
    chosen = given.get("schedule")
    if isinstance(chosen, Configured):
        every = {k: v for k, v in _shared(rules).items() if k == "every"}
        yield from _of(Schedule(chosen.name, {**every, **dict(chosen.options)}))
    elif chosen is None and rules.schedule is not None:
        yield from _of(rules.schedule)
    for schedule in rules.schedules.values():
        yield from _of(schedule)


def _shared(rules: RuleSet) -> Mapping[str, PlanValue]:
    return rules.schedule.options if rules.schedule else {}


def _of(schedule: Schedule) -> Iterator[str]:
    options = schedule.options
    if options.get("every") == "epoch":
        yield "every=epoch"
    if options.get("lag"):
        yield "lag"
    if options.get("every") != "step" and options.get("after") != "warmup":
        in_time = SCHEDULES[schedule.name].in_time
        yield from (f"schedule {schedule.name} {key}" for key in in_time if key in options)
