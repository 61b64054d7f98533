"""Trains models of Ultralytics 8.4 with the groups and the plan of a rules file.

from grouper.integrations.ultralytics import trainer

YOLO("yolov8n.yaml").train(trainer=trainer("yolo-finetune.rules"), data="coco8.yaml", epochs=9)
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from grouper.text.missing import missing

with missing("ultralytics", "this needs Ultralytics: `pip install ultralytics`"):
    from ultralytics.engine.trainer import BaseTrainer
from ultralytics.utils import DEFAULT_CFG

from grouper.api.rules import rules_to_train
from grouper.integrations.ultralytics_trainer import (
    MonitorOption,
    RulesConfig,
    RulesSource,
    RulesTrainerMixin,
)
from grouper.language.ruleset import RuleSet
from grouper.options.values import Value
from grouper.text.arguments import require, wrong_type

TRAINERS = {
    "classify": "ClassificationTrainer",
    "depth": "DepthTrainer",
    "detect": "DetectionTrainer",
    "obb": "OBBTrainer",
    "pose": "PoseTrainer",
    "segment": "SegmentationTrainer",
    "semantic": "SemanticSegmentationTrainer",
}
"""The trainer of each task of `YOLO`, in `ultralytics.models.yolo`."""

HOOKS = ("_build_train_pipeline", "_get_warmup_iterations", "_load_checkpoint_state")


class TrainerFactory(Protocol):
    """What `Model.train(trainer=...)` calls to make a trainer."""

    def __call__(
        self,
        cfg: Any = ...,
        overrides: dict[str, Any] | None = ...,
        _callbacks: dict[str, Any] | None = ...,
    ) -> BaseTrainer: ...


def trainer(
    rules: RuleSet | str | Path,
    /,
    *,
    of: type[BaseTrainer] | None = None,
    monitor: MonitorOption = False,
    **variables: Value,
) -> TrainerFactory:
    """A trainer with the groups and the plan of the rules, for `YOLO(...).train(trainer=...)`.

    Args:
        rules: a path, a shipped name, or a RuleSet.
        of: the trainer class to extend, where it is not that of the model's task: `RTDETRTrainer`.
        monitor: True writes `monitor.jsonl` into the run's folder, a path writes there; a mapping
            has the arguments of grouper.Monitor (`{"every": 50}`).
        variables: values for the rules' `let` variables. One that is called `epochs` gets the run's
            length by itself where the rules are a path or a name.

    A step of the plan is a batch, as in Ultralytics' own warm-up. Raises FileNotFoundError where
    the file does not exist, GroupingError where it has errors without any model, ImportError for an
    Ultralytics before 8.4.103. The training raises GroupingError before its first batch where the
    rules do not fit the model.
    """
    missing = [name for name in HOOKS if not hasattr(BaseTrainer, name)]
    if missing:
        raise ImportError(
            "grouper trains with Ultralytics 8.4.103 or later: `pip install -U ultralytics`"
        )
    expected = "a RuleSet, the path of a rules file, or a shipped file's name"
    require("rules", rules, (RuleSet, str, Path), expected)
    monitors = (bool, str, Path, Mapping, type(None))
    require("monitor", monitor, monitors, "True, a path, or a dict of the monitor's arguments")
    if of is not None and not (isinstance(of, type) and issubclass(of, BaseTrainer)):
        raise wrong_type("of", of, "a trainer class of Ultralytics, or None")
    rule_set = rules_to_train(rules, variables)
    source = RulesSource(rules, variables) if isinstance(rules, str | Path) else None
    config = RulesConfig(rule_set, monitor, of is not None, source)

    def start(
        cfg: Any = DEFAULT_CFG,
        overrides: dict[str, Any] | None = None,
        _callbacks: dict[str, Any] | None = None,
    ) -> BaseTrainer:
        base = of or trainer_of((overrides or {}).get("task"))
        return rules_trainer(base, config)(cfg=cfg, overrides=overrides, _callbacks=_callbacks)

    return start


def rules_trainer(base: type[BaseTrainer], config: RulesConfig) -> type[BaseTrainer]:
    """A subclass of a trainer class that follows the rules.

    It cannot be imported by its name, so that Ultralytics sends the class itself, with the rules in
    it, to the processes of a run on several devices.
    """
    trainer_class: type[BaseTrainer] = type(
        f"Rules{base.__name__}", (RulesTrainerMixin, base), {"config": config}
    )
    return trainer_class


def trainer_of(task: str | None) -> type[BaseTrainer]:
    """The trainer class of a task of `YOLO`. Raises ValueError for another task."""
    if task not in TRAINERS:
        raise ValueError(
            f"there is no trainer for the task `{task}`: pass a class as trainer(..., of=...)"
        )
    trainer_class: type[BaseTrainer] = getattr(
        importlib.import_module(f"ultralytics.models.yolo.{task}"), TRAINERS[task]
    )
    return trainer_class
