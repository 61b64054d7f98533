"""Ultralytics' own training, watched group by group.

from grouper.integrations.ultralytics_monitor import watch

model = watch(YOLO("yolov8n.yaml"), every=50)
model.train(data="coco8.yaml", epochs=9)
"""

from __future__ import annotations

from typing import Any, TypeVar

from ultralytics.utils.torch_utils import unwrap_model

from grouper.integrations.ultralytics_files import MonitorState
from grouper.monitor.monitor import Monitor

Model = TypeVar("Model")


def watch(model: Model, **options: Any) -> Model:
    """Watch what a `YOLO` (or any of Ultralytics' models) trains next; returns the model.

    Writes `monitor.jsonl` into the folder of the run, for `grouper monitor`. Its groups are those
    that Ultralytics builds: `weight`, `bn` and `bias` (the weights of norms are `bn`). A run that
    is resumed goes on in its file. `options` are those of grouper.Monitor.

    Whoever trains by rules has this in `trainer(rules, monitor=True)`, with the rules' places.
    Ultralytics takes no callbacks along to the processes that it starts on several devices: there,
    only `trainer(rules, monitor=True)` watches.
    """
    callbacks: Any = model
    watching = _Watching(options)
    callbacks.add_callback("on_train_start", watching.start)
    callbacks.add_callback("on_model_save", watching.save)
    callbacks.add_callback("teardown", watching.stop)
    return model


class _Watching:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._monitor: Monitor | None = None

    def start(self, trainer: Any) -> None:
        self.stop(trainer)
        given = {
            "path": trainer.save_dir / "monitor.jsonl",
            "model": unwrap_model(trainer.model),
            **self._options,
        }
        self._monitor = Monitor(trainer.optimizer, **given)
        if trainer.resume:
            MonitorState(trainer.wdir).restore(self._monitor, trainer.start_epoch - 1)

    def save(self, trainer: Any) -> None:
        if self._monitor is not None:
            MonitorState(trainer.wdir).save(self._monitor, trainer.epoch)

    def stop(self, _: Any) -> None:
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
