"""A plugin of axolotl: fine-tuning by a rules file.

plugins:
  - grouper.integrations.axolotl.RulesPlugin
rules: my.rules
"""

from __future__ import annotations

from typing import Any

from grouper.text.missing import missing

with missing("axolotl", "this needs axolotl: pip install axolotl"):
    from axolotl.integrations.base import BasePlugin
from pydantic import BaseModel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from grouper.api.build import build_optimizer
from grouper.api.check import checked_to_build
from grouper.api.plan import plan
from grouper.api.rules import rules_to_train
from grouper.checks.report import Report

OWNED = (
    "lr_groups",
    "embedding_lr",
    "embedding_lr_scale",
    "loraplus_lr_ratio",
    "jagged_restart_steps",  # its scheduler around ours would undo all but the lr
)


class RulesArgs(BaseModel):
    """What the plugin adds to axolotl's configuration."""

    rules: str | None = None
    rules_variables: dict[str, bool | int | float | str] | None = None


class RulesPlugin(BasePlugin):
    """Optimizer and scheduler of `rules:`; a configuration without it is axolotl's own."""

    _trainer: Any = None
    _report: Report

    def get_input_args(self) -> str:
        """Where axolotl finds `rules` and `rules_variables`."""
        return f"{__name__}.{RulesArgs.__name__}"

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        """Give the Trainer the optimizer that the rules name; it makes none of its own then.

        (axolotl 0.19 declares a hook `create_optimizer`, and never calls it.) Raises GroupingError
        where the rules do not fit the model, and ValueError for another owner of the lr.
        """
        if not cfg.rules:
            return
        others = [name for name in OWNED if getattr(cfg, name, None)]
        if others:
            raise ValueError(f"`rules` and `{others[0]}` both set the lr: leave out one of them")
        rules = rules_to_train(cfg.rules, dict(cfg.rules_variables or {}))
        report = checked_to_build(trainer.model, rules)
        trainer.optimizer = build_optimizer(trainer.model, report)
        self._trainer, self._report = trainer, report

    def create_lr_scheduler(
        self, cfg: Any, trainer: Any, optimizer: Optimizer, num_training_steps: int
    ) -> LRScheduler | None:
        """The plan of the rules over the Trainer's own number of steps, counted in steps.

        None for a Trainer that the rules did not equip: axolotl keeps a run's plugins, and its
        configuration, for a later run of the same process that has none.
        """
        if trainer is not self._trainer:
            return None
        followed = plan(self._report.inventory, self._report, steps=num_training_steps)
        # The Trainer makes a new one when it starts again with smaller batches.
        trainer._created_lr_scheduler = True
        return followed.scheduler(optimizer)
