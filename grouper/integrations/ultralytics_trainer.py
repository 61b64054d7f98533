"""Ultralytics' trainers with an optimizer, groups, lr and momentum from rules.

They are subclassed: data, losses, AMP, EMA, validation, checkpoints and early stopping stay
Ultralytics' own, and each method here replaces one that sets a rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any, ClassVar

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from ultralytics.engine.trainer import BaseTrainer
from ultralytics.utils import DEFAULT_CFG, LOGGER, RANK
from ultralytics.utils.torch_utils import unwrap_model

from grouper.api.build import build_optimizer
from grouper.api.check import checked_groups
from grouper.api.errors import GroupingError
from grouper.api.plan import plan
from grouper.api.rules import load
from grouper.checks.report import Report
from grouper.integrations.ultralytics_heads import OTHER_TRAINERS, head_of
from grouper.integrations.ultralytics_results import columns_of, widen
from grouper.language.ruleset import RuleSet
from grouper.model.inventory import Inventory
from grouper.model.live import inventory_of
from grouper.monitor.monitor import Monitor
from grouper.monitor.state import MonitorState
from grouper.options.values import Value
from grouper.text.dataclass import dataclass, replace
from grouper.train.group_schedule import interpolate
from grouper.train.plan import Plan
from grouper.train.resume.optimizer_state import load_optimizer_state

OWNED = (
    "optimizer",
    "lr0",
    "lrf",
    "momentum",
    "weight_decay",
    "warmup_epochs",
    "warmup_momentum",
    "warmup_bias_lr",
    "cos_lr",
)
MonitorOption = bool | str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class RulesSource:
    """Where rules were read, and the variables that were passed with them."""

    path: str | Path
    variables: Mapping[str, Value]


@dataclass(frozen=True)
class RulesConfig:
    """The arguments of `trainer`: `own_class` says that the trainer class was given by `of`, and
    `source` where the rules come from, if not from Python."""

    rules: RuleSet
    monitor: MonitorOption = False
    own_class: bool = False
    source: RulesSource | None = None

    def rules_of(self, epochs: int) -> RuleSet:
        """The rules of a run, whose length they are told where they ask for it."""
        declared = self.rules.variables.get("epochs")
        if self.source is None or declared is None or "epochs" in self.source.variables:
            return self.rules
        if declared == epochs:
            return self.rules
        return load(self.source.path, **self.source.variables, epochs=epochs)


class EpochCounter(LRScheduler):
    """Replaces Ultralytics' scheduler, which steps once an epoch: counts, and sets no lr."""

    def step(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


class RulesTrainerMixin(BaseTrainer):
    """Mixin for a trainer class: optimizer, lr and momentum come from rules."""

    config: ClassVar[RulesConfig]
    plan: Plan
    report: Report

    def __init__(
        self,
        cfg: Any = DEFAULT_CFG,
        overrides: dict[str, Any] | None = None,
        _callbacks: dict[str, Any] | None = None,
    ) -> None:
        ignored = [name for name in OWNED if name in (overrides or {})]
        self._batch = 0
        self._monitor: Monitor | None = None
        super().__init__(cfg, overrides, _callbacks)
        self._rules = self.config.rules if self.args.time else self.config.rules_of(self.epochs)
        if RANK == -1:
            self._warn_of_ignored([] if self.resume else ignored)

    def _warn_of_ignored(self, ignored: list[str]) -> None:
        if ignored:
            LOGGER.warning(f"ignored, because the rules decide on it: {', '.join(ignored)}")
        epochs = self._rules.variables.get("epochs")
        if epochs is not None and epochs != self.epochs and not self.args.time:
            LOGGER.warning(
                f"the rules count on epochs={epochs}, and the run has {self.epochs}:"
                f" trainer(..., epochs={self.epochs})"
            )

    def train(self) -> None:
        """Train. Raises GroupingError where the rules do not fit the model."""
        if self.ddp:  # check once before processes are started
            probe = copy(self)
            probe.setup_model()
        super().train()

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """A model of the task; refused if it needs another trainer."""
        head = head_of(cfg, weights)
        if head in OTHER_TRAINERS and not self.config.own_class:
            with self._cleanup_on_refusal():
                raise ValueError(
                    f"a model with the head `{head}` needs another trainer:"
                    f" trainer(..., of={OTHER_TRAINERS[head]})"
                )
        return super().get_model(cfg=cfg, weights=weights, verbose=verbose)

    def setup_model(self) -> Any:
        """Set up the model, and check the rules against it before data is read."""
        checkpoint = super().setup_model()
        with self._cleanup_on_refusal():
            # Distillation and quantisation change the model later.
            if self.args.distill_model is None and self.args.quantize != 8:
                inventory = inventory_of(self.model)
                checked_groups(_as_trained(inventory, self.args.freeze), self._rules)
        return checkpoint

    def build_optimizer(self, model: nn.Module, *_: Any, **__: Any) -> Optimizer:
        """The optimizer that the rules name; the arguments are ignored."""
        with self._cleanup_on_refusal():
            self.report = checked_groups(model, self._rules)[0]
            optimizer = build_optimizer(model, self.report)
        _announce(self.report, optimizer)
        return optimizer

    def _setup_scheduler(self) -> None:
        self._make_plan()
        self.scheduler = EpochCounter(self.optimizer)

    def _make_plan(self) -> None:
        with self._cleanup_on_refusal():
            self.plan = plan(
                self.report.inventory,
                self.report,
                steps_per_epoch=len(self.train_loader),
                epochs=self.epochs,
            )
            self._scheduler = self.plan.scheduler(self.optimizer)

    def _build_train_pipeline(self) -> None:
        """Ultralytics calls this again with a smaller batch when memory runs out. Epochs have more
        steps then, and it would set the groups' weight decay from its own argument."""
        running: Optimizer | None = getattr(self, "optimizer", None)
        groups = running.param_groups if running else []
        decays = [(g, g["weight_decay"]) for g in groups if "weight_decay" in g]
        super()._build_train_pipeline()
        self._accumulate: int = self.accumulate
        if running:
            for group, decay in decays:
                group["weight_decay"] = decay
            self._make_plan()

    def _get_warmup_iterations(self, num_batches: int) -> int:
        """0: the plan has the warm-up."""
        return 0

    def run_callbacks(self, event: str) -> None:
        """Run the callbacks of an event, and what the plan and the monitor do at that event."""
        if event == "on_train_epoch_start":
            self._batch = 0
        elif event == "on_train_epoch_end":
            groups = self.optimizer.param_groups
            names = columns_of(group["name"] for group in groups)
            self.lr = dict(zip(names, (float(group["lr"]) for group in groups), strict=True))
        super().run_callbacks(event)
        if (
            event == "on_train_batch_start"
        ):  # after the callbacks, so that an lr that they set is refused
            self._follow_plan()
        elif event == "on_train_start":
            self._start_monitor()
        elif event == "on_model_save" and self._monitor:
            MonitorState(self.wdir).save(self._monitor, self.epoch)
        elif event == "teardown" and self._monitor:
            self._monitor.close()

    def _follow_plan(self) -> None:
        step = self._batch + self.plan.steps_per_epoch * self.epoch
        self._batch += 1
        if step == self._scheduler.last_epoch + 1:
            self._scheduler.step()
        elif step != self._scheduler.last_epoch:  # resumed, or the epoch is repeated
            self._scheduler.load_state_dict({"last_epoch": step})
        warm = self.plan.warmup_steps
        if step <= warm and warm:  # accumulate over more and more batches
            self.accumulate = max(1, round(interpolate(step, warm, 1, self._accumulate)))

    def _start_monitor(self) -> None:
        option = self.config.monitor
        if option is False or option is None:
            return
        path = self.save_dir / "monitor.jsonl"
        if isinstance(option, str | Path):
            path = Path(option)
        options = dict(option) if isinstance(option, Mapping) else {}
        self._monitor = Monitor(self.optimizer, self.plan, **{"path": path, **options})
        if self.resume:
            MonitorState(self.wdir).restore(self._monitor, self.start_epoch - 1)

    def _model_train(self) -> None:
        """Batch norms that the rules freeze keep their statistics, as with `freeze=`."""
        super()._model_train()
        for module in unwrap_model(self.model).modules():
            parameters = list(module.parameters(recurse=False))
            frozen = parameters and not any(p.requires_grad for p in parameters)
            if frozen and isinstance(module, nn.BatchNorm2d):
                module.eval()

    def _load_checkpoint_state(self, ckpt: dict[str, Any]) -> None:
        """Load the optimizer's state by name, as the rules may have changed."""
        saved = ckpt.get("optimizer")
        super()._load_checkpoint_state({**ckpt, "optimizer": None})
        if saved is None:
            return
        if not all("param_names" in group for group in saved["param_groups"]):
            raise ValueError(
                f"{self.args.model} was not trained with grouper, so its optimizer has no names of"
                " parameters: resume it without grouper, or start a new run from it"
            )
        restored = load_optimizer_state(self.optimizer, saved)
        LOGGER.info(str(restored))

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """Write a row of results.csv, with new columns where a resumed run has other groups."""
        super().save_metrics(widen(self.csv, metrics))

    @contextmanager
    def _cleanup_on_refusal(self) -> Iterator[None]:
        """Removes the run's folder after a refusal, if it holds only the arguments."""
        try:
            yield
        except (GroupingError, ValueError):
            with suppress(OSError):
                self.wdir.rmdir()
                if [path.name for path in self.save_dir.iterdir()] == ["args.yaml"]:
                    (self.save_dir / "args.yaml").unlink()
                    self.save_dir.rmdir()
            raise


def _as_trained(inventory: Inventory, freeze: Any) -> Inventory:
    """The inventory as Ultralytics trains it: it freezes by name alone."""
    layers = range(freeze) if isinstance(freeze, int) else freeze or ()
    names = [f"model.{layer}." for layer in layers] + [".dfl"]
    return replace(
        inventory,
        parameters=tuple(
            replace(p, trainable=not any(name in p.stored for name in names))
            for p in inventory.parameters
        ),
    )


def _announce(report: Report, optimizer: Optimizer) -> None:
    """Log the groups with their lr."""
    if RANK not in (-1, 0):
        return
    kind = type(optimizer).__name__
    LOGGER.info(f"optimizer: {kind} by {report.rules.path}, groups:")
    for group in optimizer.param_groups:
        count = len(group["params"])
        LOGGER.info(f"  {group['name']}: {count} tensor{'s'[count == 1 :]}, lr={group['lr']:g}")
