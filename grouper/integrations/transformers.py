"""Trains with the Trainers of Transformers and TRL by a rules file.

from grouper.integrations.transformers import trainer

Trainer = trainer("my.rules")
Trainer(model, TrainingArguments(num_train_epochs=3), train_dataset=data).train()
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from grouper.text.missing import missing

with missing("transformers", "this needs Transformers: pip install transformers accelerate"):
    from transformers import Trainer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from grouper.api.build import build_optimizer
from grouper.api.check import checked_to_build
from grouper.api.plan import plan
from grouper.api.rules import rules_to_train
from grouper.checks.report import Report
from grouper.language.ruleset import RuleSet
from grouper.options.values import Value
from grouper.text.findings import GroupingWarning
from grouper.text.printable import quoted_list
from grouper.train.plan import Plan
from grouper.train.wrapped import unwrap_optimizer

OWNED = {
    "learning_rate": "lr",
    "weight_decay": "weight_decay",
    "adam_beta1": None,
    "adam_beta2": None,
    "adam_epsilon": "eps",
    "optim": None,
    "optim_args": None,
    "warmup_steps": None,
    "warmup_ratio": None,
    "lr_scheduler_type": None,
    "lr_scheduler_kwargs": None,
}
"""What rules decide on in place of TrainingArguments, and the option of the same meaning."""

Base = TypeVar("Base", bound=Trainer)


def trainer(
    rules: RuleSet | str | Path, cls: type[Base] | None = None, /, **variables: Value
) -> type[Base]:
    """A class of Trainer whose optimizer and scheduler are those of the rules.

    Args:
        rules: a path, a shipped name, or a RuleSet.
        cls: the class to extend: `SFTTrainer`; Transformers' own Trainer where it is not given.
        variables: values for the rules' `let` variables.

    A step of the plan is a step of the optimizer, as the Trainer counts them. Raises
    FileNotFoundError where the file does not exist, GroupingError where it has errors without any
    model. `train()` raises GroupingError before its first batch where the rules do not fit.
    """
    base: Any = cls or Trainer
    if not (isinstance(base, type) and issubclass(base, Trainer)):
        raise TypeError(
            "the second argument must be a class of Transformers' Trainer, such as `SFTTrainer`"
        )
    config = {"rules": rules_to_train(rules, variables)}
    return cast(type[Base], type(f"Rules{base.__name__}", (RulesTrainerMixin, base), config))


class RulesTrainerMixin(Trainer):
    """Mixin for a class of Trainer: optimizer, groups, lr and momentum come from `rules`.

    Once training begins, `report` is what checking them gave and `plan` the lr of each group.
    """

    rules: ClassVar[RuleSet]
    report: Report
    plan: Plan
    optimizer: Any
    lr_scheduler: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rates: dict[str, float] = {}
        given = {
            "optimizers": self.optimizer or self.lr_scheduler,
            "optimizer_cls_and_kwargs": getattr(self, "optimizer_cls_and_kwargs", None),
        }
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"`{name}` and the rules both set the lr: leave out `{name}`, or"
                    " train with the class that this one extends"
                )
        ignored = list(_ignored(self.args, self.rules))
        if ignored:
            warnings.warn(
                f"the rules decide in the place of these TrainingArguments: {quoted_list(ignored)}",
                GroupingWarning,
                stacklevel=2,
            )

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        """The optimizer that the rules name. Raises GroupingError where they do not fit."""
        if self.optimizer is None:
            target = self.model if model is None else model
            self.report = checked_to_build(target, self.rules)
            self.optimizer = build_optimizer(target, self.report)
        return cast(Optimizer, self.optimizer)

    def create_scheduler(
        self, num_training_steps: int, optimizer: Optimizer | None = None
    ) -> LRScheduler:
        """A scheduler that follows the rules' plan over the Trainer's own number of steps."""
        if self.lr_scheduler is None:
            self.plan = self._planned(num_training_steps)
            # The Trainer loads states into what it has, and our optimizer is inside of that.
            self.lr_scheduler = self.plan.scheduler(
                self.optimizer if optimizer is None else optimizer
            )
            self._created_lr_scheduler = True
        return cast(LRScheduler, self.lr_scheduler)

    def _planned(self, steps: int) -> Plan:
        """Whole epochs, where the run has them, so that rules may count them."""
        epochs = self.args.num_train_epochs
        if self.args.max_steps <= 0 and epochs == int(epochs) and steps % int(epochs) == 0:
            return plan(
                self.report.inventory,
                self.report,
                steps_per_epoch=steps // int(epochs),
                epochs=int(epochs),
            )
        try:
            return plan(self.report.inventory, self.report, steps=steps)
        except ValueError as error:
            raise ValueError(
                f"{error} (this run is of {steps} steps and not of whole epochs: it has"
                " `max_steps`, or a fraction in `num_train_epochs`)"
            ) from error

    def _get_learning_rate(self) -> float:
        """The first group's lr, as the Trainer logs it; those of all groups are kept for `log`."""
        groups = unwrap_optimizer(self.optimizer).param_groups
        self._rates = {f"lr/{group['name']}": float(group["lr"]) for group in groups}
        return cast(float, super()._get_learning_rate())

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log, and `lr/GROUP` of every group wherever the Trainer logs `learning_rate`."""
        if "learning_rate" in logs:
            logs = {**logs, **self._rates}
        super().log(logs, *args, **kwargs)


def _ignored(args: Any, rules: RuleSet) -> Iterator[str]:
    """TrainingArguments that say something else than by default, and than the rules."""
    fields = {field.name: field for field in dataclasses.fields(args)}
    for name, option in OWNED.items():
        if name not in fields or not _was_given(fields[name], value := getattr(args, name)):
            continue
        agrees = [declared.options.get(option or "") for declared in rules.optimizers]
        if value not in agrees:
            yield name


def _was_given(field: Any, value: Any) -> bool:
    default = field.default
    if default is dataclasses.MISSING:
        default = None if field.default_factory is dataclasses.MISSING else field.default_factory()
    return bool(value or default) and str(getattr(value, "value", value)) != str(
        getattr(default, "value", default)
    )
