"""Trains with timm's script by a rules file: replacements for two of its calls.

optimizer = create_optimizer(args, model)
lr_scheduler, num_epochs = create_scheduler(args, optimizer, updates_per_epoch)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from grouper.text.missing import missing

with missing("timm", "this needs timm: pip install timm"):
    from timm.scheduler.scheduler import Scheduler
from torch import nn
from torch.optim import Optimizer

from grouper.api.build import build_optimizer
from grouper.api.check import checked_to_build
from grouper.api.plan import plan
from grouper.api.rules import rules_to_train
from grouper.checks.report import Report
from grouper.language.ruleset import RuleSet
from grouper.options.values import Value
from grouper.train.plan import Plan

_reports: WeakKeyDictionary[Optimizer, Report] = WeakKeyDictionary()


def create_optimizer(
    args: Any, model: nn.Module, rules: RuleSet | str | Path | None = None, **variables: Value
) -> Optimizer:
    """The optimizer of the rules, instead of timm's `create_optimizer_v2(model, ...)`.

    `rules` are a path, a shipped name or a RuleSet. Where they are not given, `args.rules` is used,
    for a script that has an argument `--rules`. The other arguments about the optimizer (`--opt`,
    `--lr`, `--weight-decay`, `--layer-decay`, ...) have no effect; `variables` are values for the
    rules' `let` variables.

    Raises GroupingError where the rules do not fit the model, and ValueError where there are none.
    """
    given = getattr(args, "rules", None) if rules is None else rules
    if given is None:
        raise ValueError(
            "there are no rules: `create_optimizer(args, model, rules=...)`, or an argument"
            ' `parser.add_argument("--rules")` of the script'
        )
    report = checked_to_build(model, rules_to_train(given, variables))
    optimizer = build_optimizer(model, report)
    _reports[optimizer] = report
    return optimizer


def create_scheduler(
    args: Any, optimizer: Optimizer, updates_per_epoch: int
) -> tuple[RulesScheduler, int]:
    """A scheduler that follows the rules' plan, and the number of epochs, `args.epochs`.

    It is used instead of timm's `create_scheduler_v2`. `--sched`, `--warmup-epochs` and similar
    arguments have no effect, and neither has `--sched-on-updates`: the plan moves with every
    update. `updates_per_epoch` is the script's own: batches over `--grad-accum-steps`, rounded up.
    Raises ValueError where the optimizer is not that of `create_optimizer`.
    """
    report = _reports.get(optimizer)
    if report is None:
        raise ValueError(
            "this optimizer was not made by grouper.integrations.timm.create_optimizer, so there"
            " are no rules for its scheduler: make both by rules, or both by timm"
        )
    epochs = int(args.epochs)
    followed = plan(report.inventory, report, steps_per_epoch=updates_per_epoch, epochs=epochs)
    return RulesScheduler(optimizer, followed), epochs


class RulesScheduler(Scheduler):
    """The plan as a scheduler of timm, whose script passes the number of updates so far.

    Raises ValueError as the plan's own scheduler does: where something else sets the lr, where
    another optimizer steps instead of this one, and where the run is longer than the plan.
    """

    def __init__(self, optimizer: Optimizer, plan: Plan) -> None:
        self.optimizer = optimizer
        self.plan = plan
        self.metric: float | None = None
        self._scheduler = plan.scheduler(optimizer)

    def step(self, epoch: int, metric: float | None = None) -> None:
        """The script is at the start of an epoch."""
        self.step_update(epoch * self.plan.steps_per_epoch, metric)

    def step_update(self, num_updates: int, metric: float | None = None) -> None:
        """The script has made this many updates since the beginning of the run."""
        self.metric = metric
        now = self._scheduler.last_epoch
        if num_updates == now + 1:
            self._scheduler.step()
        elif num_updates != now:  # resumed
            self._scheduler.load_state_dict({"last_epoch": num_updates})

    def state_dict(self) -> dict[str, Any]:
        """The update, and the run's length."""
        return self._scheduler.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the saved update."""
        self._scheduler.load_state_dict(state_dict)

    def _get_lr(self, t: int) -> list[float]:
        values = self.plan.at(t)
        return [values[group["name"]]["lr"] for group in self.optimizer.param_groups]
