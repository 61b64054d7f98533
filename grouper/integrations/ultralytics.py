"""Rules files in Ultralytics (8.4): `YOLO(...).train(trainer=trainer("my.rules"), ...)`.

The trainer builds its optimizer from the rules and sets lr and momentum of every batch from the
plan; Ultralytics' own warm-up and LambdaLR stay out of it. Everything else (gradient
accumulation and its ramp, AMP, EMA, early stopping, `freeze=`, resume, several GPUs) stays
Ultralytics'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultralytics.utils import DEFAULT_CFG, LOGGER, colorstr
from ultralytics.utils.torch_utils import unwrap_model

import grouper
from grouper.monitor.monitor import Monitor
from grouper.monitor.record import read_run
from grouper.ruleset.model import RuleSet, Value

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer
    from ultralytics.engine.trainer import BaseTrainer

    from grouper.plan import Plan

# `let`s of a rules file that follow the arguments of `train()` of the same name.
RUN_ARGUMENTS = ("lr0", "lrf", "momentum", "warmup_epochs", "warmup_momentum", "warmup_bias_lr")


def trainer(rules: str | RuleSet, **variables: Value) -> Callable[..., BaseTrainer]:
    """A trainer for `YOLO.train(trainer=...)` that takes its groups and its plan from rules.

    Detect, segment, pose, obb and classify; the model's own task decides. A `let` of the rules
    that is named like an argument of `train()` (`lr0`, `lrf`, `momentum`, `warmup_epochs`,
    `warmup_momentum`, `warmup_bias_lr`), `epochs`, or `weight_decay` (scaled to the batch as
    Ultralytics does), has the run's value, unless `variables` sets it.

    The trainer raises grouper.GroupingError with the report, before the first batch, where the
    rules are wrong for the model.
    """
    source = Rules(
        path=rules.path if isinstance(rules, RuleSet) else _absolute(rules),
        text=str(rules) if isinstance(rules, RuleSet) else None,
        variables=dict(variables),
    )

    def build(
        cfg: Any = DEFAULT_CFG,
        overrides: dict[str, Any] | None = None,
        _callbacks: dict[str, list[Any]] | None = None,
    ) -> BaseTrainer:
        base = _task_trainer((overrides or {}).get("task") or "detect")
        # No module holds this class, so cloudpickle carries it whole to the processes of DDP.
        cls = type(f"Rules{base.__name__}", (RulesTrainer, base), {"rules": source})
        made: BaseTrainer = cls(cfg=cfg, overrides=overrides, _callbacks=_callbacks)
        return made

    return build


def monitor(every: int = 10, **options: Any) -> Callable[[BaseTrainer], None]:
    """A callback that watches the run: `model.add_callback("on_train_start", monitor(every=10))`.

    Writes `monitor.jsonl` into the run's folder unless `options` (those of grouper.Monitor) say
    otherwise. It works with Ultralytics' own trainers, too: their groups are called `weight`,
    `bn`, `bias`, `muon`, as Ultralytics does.
    """

    def start(trainer: BaseTrainer) -> None:
        _name_groups(trainer.optimizer)
        path = options.get("path", trainer.save_dir / "monitor.jsonl")
        watching = Monitor(
            trainer.optimizer,
            getattr(trainer, "plan", None),
            **{**options, "every": every, "path": path},
        )
        if trainer.start_epoch and Path(path).exists():
            records = read_run(path).records
            watching.step = records[-1].step + every if records else 0
        trainer.add_callback("teardown", lambda _: watching.close())

    return start


@dataclass(frozen=True)
class Rules:
    """Which rules a trainer follows, in a form that other processes can be sent."""

    path: str
    text: str | None
    variables: dict[str, Value]

    def load(self, run: dict[str, Value]) -> RuleSet:
        """The rule set; `run` are the values for the `let`s that the rules happen to declare."""
        declared = self._with({}).variables
        follow = {name: value for name, value in run.items() if name in declared}
        return self._with(follow)

    def _with(self, follow: dict[str, Value]) -> RuleSet:
        variables = {**follow, **self.variables}
        if self.text is None:
            return grouper.load(self.path, **variables)
        return grouper.parse(self.text, **variables)


class RulesTrainer:
    """What a task's trainer does differently under rules; mixed in before it."""

    rules: Rules
    plan: Plan | None = None

    def build_optimizer(self: Any, model: nn.Module, *_: object, **__: object) -> Optimizer:
        """The optimizer of the rules; `optimizer=`, `lr0=` and `momentum=` are only variables."""
        self.rule_set = self.rules.load(self._run_variables())
        optimizer = grouper.build_optimizer(unwrap_model(model), self.rule_set)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])  # their warm-up loop reads it
        sizes = ", ".join(f"{g['name']} {len(g['params'])}" for g in optimizer.param_groups)
        LOGGER.info(
            f"{colorstr('optimizer:')} {type(optimizer).__name__} from {self.rule_set.path}"
            f" with parameter groups {sizes}"
        )
        return optimizer

    def _setup_scheduler(self: Any) -> None:
        """Make the plan, and leave Ultralytics a scheduler that moves nothing.

        Called again by `time=` runs, whose number of epochs changes as they go.
        """
        self.plan = grouper.plan(
            unwrap_model(self.model),
            self.rule_set,
            steps_per_epoch=len(self.train_loader),
            epochs=self.epochs,
        )
        self.lf = lambda epoch: 1.0
        self.scheduler = Still()

    def _build_train_pipeline(self: Any) -> None:
        """Also called when a batch did not fit into memory: the plan follows the new batch."""
        again = self.optimizer is not None
        super()._build_train_pipeline()  # type: ignore[misc]
        if again:
            self.rule_set = self.rules.load(self._run_variables())
            fresh = grouper.param_groups(unwrap_model(self.model), self.rule_set)
            decays = {group["name"]: group.get("weight_decay") for group in fresh}
            for group in self.optimizer.param_groups:
                if decays.get(group["name"]) is not None:
                    group["weight_decay"] = decays[group["name"]]
            self._setup_scheduler()

    def _get_warmup_iterations(self: Any, num_batches: int) -> int:
        """The plan's warm-up: over it Ultralytics ramps gradient accumulation."""
        return self.plan.warmup_steps if self.plan is not None else 0

    def _model_train(self: Any) -> None:
        """Begins an epoch, also one that is begun again after a fault."""
        super()._model_train()  # type: ignore[misc]
        self.batches_done = 0

    def preprocess_batch(self: Any, batch: dict[str, Any]) -> dict[str, Any]:
        """The last place before the forward pass: here lr and momentum are set."""
        if self.plan is not None:
            step = self.batches_done + len(self.train_loader) * self.epoch
            self.plan.apply(self.optimizer, step)
            self.batches_done += 1
        done: dict[str, Any] = super().preprocess_batch(batch)  # type: ignore[misc]
        return done

    def run_callbacks(self: Any, event: str) -> None:
        """Loggers and results.csv get the lr under the groups' names."""
        if event == "on_train_epoch_end":
            self.lr = {f"lr/{group['name']}": group["lr"] for group in self.optimizer.param_groups}
        super().run_callbacks(event)  # type: ignore[misc]

    def _load_checkpoint_state(self: Any, ckpt: dict[str, Any]) -> None:
        """Momentum and moments come back by parameter name; the rest is Ultralytics' way."""
        super()._load_checkpoint_state({**ckpt, "optimizer": None})  # type: ignore[misc]
        if ckpt.get("optimizer") is not None:
            report = grouper.load_optimizer_state(self.optimizer, ckpt["optimizer"])
            LOGGER.info(f"{colorstr('optimizer:')} {report}")

    def _run_variables(self: Any) -> dict[str, Value]:
        accumulate = max(round(self.args.nbs / self.batch_size), 1)
        decay = self.args.weight_decay * self.batch_size * accumulate / self.args.nbs
        run = {name: getattr(self.args, name) for name in RUN_ARGUMENTS}
        return {**run, "epochs": self.epochs, "weight_decay": decay}


class Still:
    """A scheduler that moves nothing, for a loop that must have one."""

    last_epoch = -1

    def step(self) -> None:
        """Count an epoch."""
        self.last_epoch += 1


def _task_trainer(task: str) -> type[BaseTrainer]:
    from ultralytics.models import yolo

    trainers: dict[str, type[BaseTrainer]] = {
        "detect": yolo.detect.DetectionTrainer,
        "segment": yolo.segment.SegmentationTrainer,
        "pose": yolo.pose.PoseTrainer,
        "obb": yolo.obb.OBBTrainer,
        "classify": yolo.classify.ClassificationTrainer,
    }
    if task not in trainers:
        raise ValueError(f"no trainer for task `{task}`: there are {', '.join(trainers)}")
    return trainers[task]


def _absolute(rules: str) -> str:
    """A path that child processes find from any folder; a shipped rules file's name stays."""
    path = Path(rules)
    return str(path.resolve()) if path.exists() else str(rules)


def _name_groups(optimizer: Optimizer) -> None:
    taken: dict[str, int] = {}
    for group in optimizer.param_groups:
        if "name" in group:
            continue
        base = str(group.get("param_group", "group"))
        taken[base] = taken.get(base, 0) + 1
        group["name"] = base if taken[base] == 1 else f"{base}#{taken[base]}"
