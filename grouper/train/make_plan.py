"""From the groups to the plan: the lr and momentum of each group over the run."""

from __future__ import annotations

import math
from collections.abc import Mapping

from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language.expressions import Scope, number
from grouper.language.ruleset import Optimizer, PlanValue, RuleSet, Schedule, Warmup
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.options.schedules import SCHEDULES
from grouper.options.signatures import momentum_defaults, signature
from grouper.options.values import Configured, Value, is_number
from grouper.text.arguments import require_integer
from grouper.text.dataclass import dataclass
from grouper.train.curve import Curve, Run
from grouper.train.group_schedule import GroupSchedule, ScheduledOption
from grouper.train.plan import Plan
from grouper.train.run_in_steps import refuse_epochs


def make_plan(
    rules: RuleSet, grouping: Grouping, steps_per_epoch: int, epochs: int, in_steps: bool = False
) -> Plan:
    """The plan of a grouping; a run `in_steps` alone is one epoch of all of its steps.

    Raises ValueError where a group has no lr or one that overflows, where its window is empty or
    outside the run, where the rules count epochs that the run has not, and where a count is not
    positive.
    """
    batches = "the number of batches in an epoch (`len(loader)`)"
    steps_per_epoch = require_integer("steps_per_epoch", steps_per_epoch, 1, batches)
    epochs = require_integer("epochs", epochs, 1, "the number of epochs")
    run = Run(steps_per_epoch, epochs)
    groups = tuple(_Maker(rules, group, run, in_steps).schedule() for group in grouping.groups)
    for group in groups:
        _refuse_overflow(group, run)
    for key in rules.schedules:
        if groups and not any(o.key == key for group in groups for o in group.options):
            raise ValueError(f"`schedule {key}` moves nothing: no group has a number `{key}`")
    return Plan(groups, steps_per_epoch, epochs, in_steps)


def _refuse_overflow(group: GroupSchedule, run: Run) -> None:
    """Raises ValueError where a schedule that grows (`gamma` or `final` above 1) overflows in this
    run.
    """
    if not math.isfinite(group.lr * group.curve.at(run.steps, run, group.warmup_end)):
        options = group.schedule.options
        grows = " ".join(f"{key}={options[key]}" for key in ("gamma", "final") if key in options)
        clock = f"{run.steps} steps" if group.curve.by_step else f"{run.epochs} epochs"
        raise ValueError(
            f"the lr of the group `{group.name}` overflows within {clock} of"
            f" `schedule {group.schedule.name} {grows}`"
        )


@dataclass(frozen=True)
class _Maker:
    """Makes the schedule of one group, from the statements of the file and the group's own keys."""

    rules: RuleSet
    group: Group
    run: Run
    in_steps: bool

    def schedule(self) -> GroupSchedule:
        """The group's schedule. Raises ValueError as `make_plan` does."""
        lr = self._lr()
        given = self._given
        if self.in_steps:
            refuse_epochs(self.group.name, self.rules, given)
        first, end = self._window(given)
        warmup = self.rules.warmup or Warmup()
        warmup_momentum = _momentum(given.get("warmup_momentum", warmup.momentum))
        momentum, is_beta1 = self._momentum(warmup_momentum)
        return GroupSchedule(
            self.group.name,
            lr,
            self._warmup_steps(warmup, given),
            self._evaluated(given.get("warmup_start", warmup.start), "lr", lr),
            momentum,
            warmup_momentum,
            is_beta1,
            self._lr_schedule(given, lr),
            tuple(parameter.name for parameter in self.group.parameters),
            self.group.place,
            warmup.shape,
            first,
            end,
            tuple(self._scheduled(lr, momentum)),
        )

    @property
    def _optimizer(self) -> Optimizer | None:
        return self.rules.optimizers_by_name.get(self.group.optimizer or "")

    @property
    def _given(self) -> Mapping[str, PlanValue]:
        """The plan's keys of the group: its optimizer's, and those of the rules on top."""
        own = self._optimizer
        return {**(own.plan if own else {}), **self.group.plan}

    def _lr(self) -> float:
        lr = self.group.options.get("lr")
        if not is_number(lr):
            raise ValueError(
                f"the group `{self.group.name}` has no `lr`, so there is nothing to plan: set it in"
                " a rule, or for all groups in the `optimizer` statement"
            )
        return float(lr)

    def _evaluated(self, value: PlanValue, key: str, own: float) -> float:
        """A number of the plan, in which `key` stands for the group's own value of that option."""
        if not isinstance(value, tree.Node):
            return _number(value, 0.0)
        try:
            return float(number(value, Scope({**self.rules.variables, key: own})))
        except BadValue as error:
            place = f"{error.span.place}: " if error.span else ""
            raise ValueError(
                f"{place}{error.message}, for the group `{self.group.name}` with {key}={own:g}"
            ) from None

    def _window(self, given: Mapping[str, PlanValue]) -> tuple[int, int | None]:
        """The first step at which the group trains, and the first one after its window."""
        nb, steps = self.run.steps_per_epoch, self.run.steps
        first = _bound(given, "from", nb) or 0
        end = _bound(given, "until", nb)
        what = f"the window of the group `{self.group.name}`"
        if end is not None and end <= first:
            raise ValueError(f"{what} is empty: it opens at step {first} and closes at step {end}")
        if first >= steps:
            raise ValueError(f"{what} opens at step {first}, and the run has {steps} steps")
        return first, end

    def _warmup_steps(self, warmup: Warmup, given: Mapping[str, PlanValue]) -> int:
        """A group's own length before the file's; `min_steps` bounds epochs and shares."""
        own = {key: given.get(f"warmup_{key}") for key in ("steps", "epochs", "share")}
        if all(value is None for value in own.values()):
            own = {"steps": warmup.steps, "epochs": warmup.epochs, "share": warmup.share}
        if own["steps"] is not None:
            return round(_number(own["steps"], 0))
        if own["share"] is not None:
            return max(math.ceil(self.run.steps * _number(own["share"], 0)), warmup.min_steps)
        if own["epochs"] is None:
            return warmup.min_steps
        steps = _number(own["epochs"], 0) * self.run.steps_per_epoch
        if not math.isfinite(steps):
            raise ValueError(
                f"a warm-up of {own['epochs']} epochs is longer than anything can be counted"
            )
        return max(round(steps), warmup.min_steps)

    def _lr_schedule(self, given: Mapping[str, PlanValue], lr: float) -> Schedule:
        """The group's own schedule, which takes over `every`, `after` and `lag`; or the file's."""
        of_file = self.rules.schedule or Schedule()
        chosen = given.get("schedule")
        if chosen is None:
            name, options = of_file.name, dict(of_file.options)
        else:
            name = chosen.name if isinstance(chosen, Configured) else str(chosen)
            options = {k: v for k, v in of_file.options.items() if k in ("every", "after", "lag")}
            options |= dict(chosen.options) if isinstance(chosen, Configured) else {}
        if "final" in given:
            options["final"] = given["final"]
            for key in (SCHEDULES[name].exactly_one or ())[:1]:
                if "final" in (SCHEDULES[name].exactly_one or ()):
                    options.pop(key, None)  # `final` says the same in another way
        return Schedule(name, self._plain(name, options, "lr", lr))

    def _plain(
        self, name: str, options: Mapping[str, PlanValue], key: str, own: float
    ) -> Mapping[str, Value]:
        """The options of a schedule as values; a run in steps counts them."""
        values: dict[str, Value] = {
            option: self._evaluated(value, key, own) if isinstance(value, tree.Node) else value
            for option, value in options.items()
            if option in SCHEDULES[name].options
        }
        return {**values, "every": "step"} if self.in_steps else values

    def _momentum(self, warmup_momentum: float | None) -> tuple[float | None, bool]:
        """The momentum of the group, and whether it is the first of its betas."""
        options = self.group.options
        moves = warmup_momentum is not None or "momentum" in self.rules.schedules
        if moves and not options.keys() & {"momentum", "betas"} and self._optimizer:
            options = momentum_defaults(self._optimizer.name)
        momentum, betas = options.get("momentum"), options.get("betas")
        if momentum is None and isinstance(betas, tuple) and betas:
            momentum = betas[0]
        value = None if momentum is None else _number(momentum, 0.0)
        return value, "momentum" not in options and betas is not None

    def _scheduled(self, lr: float, momentum: float | None) -> list[ScheduledOption]:
        """The other options that a statement schedules and that this group has."""
        known = signature(self._optimizer.name) if self._optimizer else None
        options = {**(known.defaults if known else {}), **self.group.options, "lr": lr}
        options["momentum"] = momentum
        found = []
        for key, schedule in self.rules.schedules.items():
            value = options.get(key)
            if is_number(value):
                own = _number(value, 0.0)
                plain = Schedule(
                    schedule.name, self._plain(schedule.name, schedule.options, key, own)
                )
                found.append(ScheduledOption(key, own, Curve(plain)))
        return found


def _bound(given: Mapping[str, PlanValue], end: str, steps_per_epoch: int) -> int | None:
    """One end of a window in steps; fractions of an epoch are rounded as in warm-ups."""
    if given.get(f"{end}_step") is not None:
        return round(_number(given[f"{end}_step"], 0))
    epochs = given.get(f"{end}_epoch")
    if epochs is None:
        return None
    steps = _number(epochs, 0) * steps_per_epoch
    if not math.isfinite(steps):
        raise ValueError(f"a window of {epochs} epochs is longer than anything can be counted")
    return round(steps)


def _momentum(value: PlanValue) -> float | None:
    return None if value is None else _number(value, 0.0)


def _number(value: PlanValue, default: float) -> float:
    return float(value if isinstance(value, int | float) else default)
