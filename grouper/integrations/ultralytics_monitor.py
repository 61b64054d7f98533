"""Monitors Ultralytics' own training by groups.

from grouper.integrations.ultralytics_monitor import watch

model = watch(YOLO("yolov8n.yaml"), every=50)
model.train(data="coco8.yaml", epochs=9)
"""

from __future__ import annotations

from typing import Any, TypeVar

from ultralytics.utils.torch_utils import unwrap_model

from grouper.monitor.monitor import Monitor
from grouper.monitor.state import MonitorState

Model = TypeVar("Model")


def watch(model: Model, **options: Any) -> Model:
    """Monitor the next trainings of a `YOLO` (or another of Ultralytics' models); returns it.

    Writes `monitor.jsonl` into the folder of the run, for `grouper monitor`. The groups are those
    that Ultralytics builds: `weight`, `bn` (weights of norms) and `bias`. A resumed run appends to
    the file. `options` are those of grouper.Monitor.

    A training by rules is monitored with `trainer(rules, monitor=True)`, which also records the
    places of the rules. On several devices that is the only way: Ultralytics starts processes there
    that do not get the callbacks of the model.
    """
    callbacks: Any = model
    callback = _Callbacks(options)
    callbacks.add_callback("on_train_start", callback.start)
    callbacks.add_callback("on_model_save", callback.save)
    callbacks.add_callback("teardown", callback.stop)
    return model


class _Callbacks:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._monitor: Monitor | None = None

    def start(self, trainer: Any) -> None:
        self.stop(trainer)
        arguments = {
            "path": trainer.save_dir / "monitor.jsonl",
            "model": unwrap_model(trainer.model),
            **self._options,
        }
        self._monitor = Monitor(trainer.optimizer, **arguments)
        if trainer.resume:
            MonitorState(trainer.wdir).restore(self._monitor, trainer.start_epoch - 1)

    def save(self, trainer: Any) -> None:
        if self._monitor is not None:
            MonitorState(trainer.wdir).save(self._monitor, trainer.epoch)

    def stop(self, _: Any) -> None:
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
