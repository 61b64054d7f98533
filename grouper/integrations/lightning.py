"""Trains with Lightning by a rules file.

class Net(LightningModule):
    def configure_optimizers(self):
        return grouper.integrations.lightning.configure(self, "my.rules")
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from types import MethodType
from typing import Any

from grouper.text.missing import missing

with missing("lightning", "this needs Lightning: pip install lightning"):
    from lightning.pytorch import LightningModule
    from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from torch import nn

from grouper.api.build import build_optimizer
from grouper.api.check import checked_to_build
from grouper.api.plan import plan
from grouper.api.rules import rules_to_train
from grouper.language.ruleset import RuleSet
from grouper.options.values import Value
from grouper.text.findings import GroupingWarning
from grouper.train.plan import Plan

Configured = dict[str, Any]


def configure(
    module: LightningModule,
    rules: RuleSet | str | Path,
    /,
    *,
    model: nn.Module | None = None,
    steps: int | None = None,
    name: str = "lr",
    **variables: Value,
) -> Configured:
    """What `configure_optimizers` returns: the optimizer and the scheduler of the rules.

    Args:
        module: the LightningModule, which has a Trainer.
        rules: a path, a shipped name, or a RuleSet.
        model: the part of the module that the rules are for, all of it where it is not given; with
            several optimizers each has its own: `[configure(self, "g.rules", model=self.g), ...]`.
        steps: how often the optimizer steps, where the Trainer cannot know it.
        name: what LearningRateMonitor calls it: `lr/GROUP`.
        variables: values for the rules' `let` variables.

    The plan's steps are those of the optimizer, as Lightning counts them. Raises GroupingError
    where the rules do not fit, and ValueError where the run's length is not known, or a callback
    adds groups while it runs.
    """
    rule_set = rules_to_train(rules, variables)
    trainer = getattr(module, "_trainer", None)
    _refuse_finetuning(trainer)
    trained = module if model is None else model
    report = checked_to_build(trained, rule_set)
    optimizer = build_optimizer(trained, report)
    followed = _planned(report, trainer, steps)
    scheduler = {"scheduler": followed.scheduler(optimizer), "interval": "step", "name": name}
    return {"optimizer": optimizer, "lr_scheduler": scheduler}


class RulesCLI(LightningCLI):
    """A LightningCLI whose models train by `rules:`, with `rules_variables:` for their `let`s.

    In YAML, beside `model:` and `trainer:`; `fit` without `rules:` is LightningCLI's own.
    """

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add `--rules` and `--rules_variables`; a subclass calls this one as well."""
        parser.add_argument(
            "--rules", type=str | None, default=None, help="a rules file, or a shipped one's name"
        )
        parser.add_argument(
            "--rules_variables",
            type=dict[str, bool | int | float | str],
            default={},
            help="values for the rules' `let` variables",
        )

    def after_instantiate_classes(self) -> None:
        """Configure the model by the rules.

        Raises ValueError where something else sets the lr as well.
        """
        config = self.config.get(self.subcommand) if self.subcommand else self.config
        rules = config.get("rules")
        if rules is None:
            return
        for key in ("optimizer", "lr_scheduler"):
            if config.get(key) is not None:
                raise ValueError(f"`rules:` and `{key}:` both set the lr: leave out one of them")
        if type(self.model).configure_optimizers is not LightningModule.configure_optimizers:
            warnings.warn(
                f"`rules:` is in the place of {type(self.model).__name__}.configure_optimizers",
                GroupingWarning,
                stacklevel=2,
            )
        variables = dict(config.get("rules_variables") or {})

        def configure_optimizers(module: LightningModule) -> Configured:
            return configure(module, rules, **variables)

        self.model.configure_optimizers = MethodType(configure_optimizers, self.model)


def _planned(report: Any, trainer: Any, steps: int | None) -> Plan:
    """The plan over the Trainer's own number of steps: whole epochs, where it has them."""
    known = _steps_of_epochs(trainer) if trainer is not None else None
    if steps is not None:
        if known is not None and sum(known) != steps:
            warnings.warn(
                f"`steps={steps}`, and in this run Lightning steps the optimizer {sum(known)} times"
                " (batches over `accumulate_grad_batches`, rounded up in each epoch): leave out"
                " `steps`, unless an optimizer is stepped by hand",
                GroupingWarning,
                stacklevel=3,
            )
        return plan(report.inventory, report, steps=steps)
    if known is None:
        raise ValueError(
            "the length of this run is not known (no Trainer, or neither `max_steps` nor"
            " `max_epochs` of a loader that has a length): give `configure(..., steps=...)`"
        )
    if len(set(known)) == 1 and trainer.max_steps == -1:
        return plan(report.inventory, report, steps_per_epoch=known[0], epochs=len(known))
    return plan(report.inventory, report, steps=sum(known))


def _steps_of_epochs(trainer: Any) -> list[int] | None:
    """How often the optimizer steps in each epoch; one number where there are no whole epochs."""
    total = trainer.estimated_stepping_batches  # also sets up the loader
    batches, epochs = trainer.num_training_batches, trainer.max_epochs
    endless = not epochs or epochs < 0 or batches == math.inf
    if endless or trainer.max_steps != -1:
        return [int(total)] if 0 < total < math.inf else None
    return [math.ceil(batches / _accumulated(trainer, epoch)) for epoch in range(epochs)]


def _accumulated(trainer: Any, epoch: int) -> int:
    """Batches to a step in an epoch, where a GradientAccumulationScheduler changes it as well."""
    for callback in trainer.callbacks:
        if hasattr(callback, "get_accumulate_grad_batches"):
            return int(callback.get_accumulate_grad_batches(epoch))
    return int(trainer.accumulate_grad_batches)


def _refuse_finetuning(trainer: Any) -> None:
    for callback in getattr(trainer, "callbacks", ()):
        if any(cls.__name__ == "BaseFinetuning" for cls in type(callback).__mro__):
            raise ValueError(
                f"the callback {type(callback).__name__} adds groups to the optimizer while it"
                " runs, which are not the rules': leave it out, and write the window into the"
                " rules (`backbone.* -> backbone from_epoch=10`), which trains from there on"
            )
