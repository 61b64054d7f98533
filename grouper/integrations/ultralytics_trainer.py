"""Ultralytics' trainers, with the optimizer, its groups, and lr and momentum by rules.

They are subclassed and not imitated: data, losses, AMP, EMA, validation, checkpoints and early
stopping are Ultralytics' own, and each method here takes the place of one that decides a rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from ultralytics.engine.trainer import BaseTrainer
from ultralytics.utils import DEFAULT_CFG, LOGGER, RANK
from ultralytics.utils.torch_utils import unwrap_model

from grouper import api
from grouper.checks.report import Report
from grouper.findings import Severity
from grouper.integrations.ultralytics_files import MonitorState, columns_of, widen
from grouper.language.ruleset import RuleSet
from grouper.model.inventory import Inventory
from grouper.model.live import inventory_of
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
OTHER_TRAINERS = {
    "RTDETRDecoder": "ultralytics.models.rtdetr.train.RTDETRTrainer",
    "WorldDetect": "ultralytics.models.yolo.world.WorldTrainer",
    "YOLOEDetect": "ultralytics.models.yolo.yoloe.YOLOETrainer",
    "YOLOESegment": "ultralytics.models.yolo.yoloe.YOLOESegTrainer",
}
"""Heads of models that `YOLO`'s own trainers do not train, and what does."""

Watch = bool | str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """What a trainer goes by."""

    rules: RuleSet
    monitor: Watch = False
    chosen: bool = False


class EpochCounter(LRScheduler):
    """In the place of Ultralytics' scheduler, which steps once an epoch: it changes nothing."""

    def step(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


class RulesTrainerMixin(BaseTrainer):
    """A trainer whose optimizer, lr and momentum come of rules. To be mixed with a trainer."""

    recipe: ClassVar[Recipe]
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
        self._monitor: Any = None
        super().__init__(cfg, overrides, _callbacks)
        if RANK == -1:
            self._say_what_is_ignored([] if self.resume else ignored)

    def _say_what_is_ignored(self, ignored: list[str]) -> None:
        if ignored:
            LOGGER.warning(f"ignored, because the rules decide on it: {', '.join(ignored)}")
        epochs = self.recipe.rules.variables.get("epochs")
        if epochs is not None and epochs != self.epochs and not self.args.time:
            LOGGER.warning(
                f"the rules count on epochs={epochs}, and the run has {self.epochs}:"
                f" trainer(..., epochs={self.epochs})"
            )

    def train(self) -> None:
        """Train. Raises GroupingError where the rules do not fit the model."""
        if self.ddp:  # here, and not in each of the processes only
            probe = copy(self)
            probe.setup_model()
        super().train()

    def setup_model(self) -> Any:
        """The model, held against the rules before any data is read."""
        checkpoint = super().setup_model()
        with self._nothing_begun():
            self._refuse_head()
            if self.args.distill_model is None and self.args.quantize != 8:  # these change it later
                inventory = inventory_of(self.model)
                api.checked_groups(_trained(inventory, self.args.freeze), self.recipe.rules)
        return checkpoint

    def build_optimizer(self, model: nn.Module, *_: Any, **__: Any) -> Optimizer:
        """The optimizer that the rules name, whatever the train arguments say."""
        with self._nothing_begun():
            self.report = api.checked_groups(model, self.recipe.rules)[0]
            optimizer = api.build_optimizer(model, self.report)
        _announce(self.report, optimizer)
        return optimizer

    def _setup_scheduler(self) -> None:
        self._make_plan()
        self.scheduler = EpochCounter(self.optimizer)

    def _make_plan(self) -> None:
        with self._nothing_begun():
            self.plan = api.plan(
                self.report.inventory,
                self.report,
                steps_per_epoch=len(self.train_loader),
                epochs=self.epochs,
            )
            self._owner = self.plan.scheduler(self.optimizer)

    def _build_train_pipeline(self) -> None:
        """Ultralytics does this again, with smaller batches, when memory runs out: epochs are
        longer then, and it would have the groups' decay follow its own argument."""
        running: Optimizer | None = getattr(self, "optimizer", None)
        groups = running.param_groups if running else []
        decays = [(g, g["weight_decay"]) for g in groups if "weight_decay" in g]
        super()._build_train_pipeline()
        self._full: int = self.accumulate
        if running:
            for group, decay in decays:
                group["weight_decay"] = decay
            self._make_plan()

    def _get_warmup_iterations(self, num_batches: int) -> int:
        """None: the warm-up is the plan's."""
        return 0

    def run_callbacks(self, event: str) -> None:
        """Run an event's callbacks, and what the plan and the monitor have to do then."""
        if event == "on_train_epoch_start":
            self._batch = 0
        elif event == "on_train_epoch_end":
            groups = self.optimizer.param_groups
            names = columns_of(group["name"] for group in groups)
            self.lr = dict(zip(names, (float(group["lr"]) for group in groups), strict=True))
        super().run_callbacks(event)
        if event == "on_train_batch_start":  # behind the others: there is one owner of lr
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
        if step == self._owner.last_epoch + 1:
            self._owner.step()
        elif step != self._owner.last_epoch:  # resumed, or an epoch is done again
            self._owner.load_state_dict({"last_epoch": step})
        warm = self.plan.warmup_steps
        if step <= warm and warm:  # gradients are gathered over more and more batches
            self.accumulate = max(1, round(interpolate(step, warm, 1, self._full)))

    def _start_monitor(self) -> None:
        watch = self.recipe.monitor
        if watch is False or watch is None:
            return
        from grouper.monitor.monitor import Monitor

        path = self.save_dir / "monitor.jsonl"
        if isinstance(watch, str | Path):
            path = Path(watch)
        options = dict(watch) if isinstance(watch, Mapping) else {}
        self._monitor = Monitor(self.optimizer, self.plan, **{"path": path, **options})
        if self.resume:
            MonitorState(self.wdir).restore(self._monitor, self.start_epoch - 1)

    def _model_train(self) -> None:
        """A norm that the rules freeze keeps its statistics, as under `freeze=`."""
        super()._model_train()
        for module in unwrap_model(self.model).modules():
            parameters = list(module.parameters(recurse=False))
            frozen = parameters and not any(p.requires_grad for p in parameters)
            if frozen and isinstance(module, nn.BatchNorm2d):
                module.eval()

    def _load_checkpoint_state(self, ckpt: dict[str, Any]) -> None:
        """The optimizer's state by name: the rules may have changed since."""
        saved = ckpt.get("optimizer")
        super()._load_checkpoint_state({**ckpt, "optimizer": None})
        if saved is None:
            return
        if not all("param_names" in group for group in saved["param_groups"]):
            raise ValueError(
                f"{self.args.model} was not trained by grouper, so its optimizer has no names of"
                " parameters: resume it without, or start a new run from it"
            )
        restored = load_optimizer_state(self.optimizer, saved)
        LOGGER.info(f"optimizer: states found by the parameters' names: {restored}")

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """A row of results.csv. A resumed run may have other groups: then it gets their columns."""
        super().save_metrics(widen(self.csv, metrics))

    def _refuse_head(self) -> None:
        layers = getattr(unwrap_model(self.model), "model", None)
        head = type(layers[-1]).__name__ if isinstance(layers, nn.Sequential) else ""
        if head in OTHER_TRAINERS and not self.recipe.chosen:
            raise ValueError(
                f"a model with the head `{head}` has a trainer of its own:"
                f" trainer(..., of={OTHER_TRAINERS[head]})"
            )

    @contextmanager
    def _nothing_begun(self) -> Iterator[None]:
        """A run that is refused leaves no folder, unless there is more in it than its arguments."""
        try:
            yield
        except (api.GroupingError, ValueError):
            with suppress(OSError):
                self.wdir.rmdir()
                if [path.name for path in self.save_dir.iterdir()] == ["args.yaml"]:
                    (self.save_dir / "args.yaml").unlink()
                    self.save_dir.rmdir()
            raise


def _trained(inventory: Inventory, freeze: Any) -> Inventory:
    """The inventory as Ultralytics trains it: it freezes by name, and nothing else is frozen."""
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
    """In the log, what is about to be trained at which rate, and the report's warnings."""
    if RANK not in (-1, 0):
        return
    kind = type(optimizer).__name__
    LOGGER.info(f"optimizer: {kind} by {report.rules.path}, groups:")
    for group in optimizer.param_groups:
        count = len(group["params"])
        LOGGER.info(f"  {group['name']}: {count} parameter{'s'[count == 1 :]}, lr={group['lr']:g}")
    for finding in report.findings:
        if finding.severity is Severity.WARNING:
            LOGGER.warning(f"{finding.code.id} {finding.message}")
