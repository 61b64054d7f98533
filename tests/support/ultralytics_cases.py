"""Short seeded runs of Ultralytics on the CPU, and what is to be compared of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from support.synthetic import SIZE, data_for

IMAGES = 8
BATCHES = IMAGES // 4
OPTIMIZERS = {
    "SGD": ("ultralytics.rules", {"lr0": 0.01, "momentum": 0.937}),
    "MuSGD": ("ultralytics-musgd.rules", {"lr0": 0.01, "momentum": 0.937}),
    "AdamW": ("ultralytics-adamw.rules", {"lr0": 0.001, "momentum": 0.9}),
}
CONFIGS = {
    "detect": "yolov8n.yaml",
    "classify": "yolov8n-cls.yaml",
    "segment": "yolov8n-seg.yaml",
    "pose": "yolov8n-pose.yaml",
    "obb": "yolov8n-obb.yaml",
}
DETECTORS = {
    "RTDETR": "yolov8n-rtdetr.yaml",
    "YOLOWorld": "yolov8n-worldv2.yaml",
    "YOLOE": "yoloe-v8n.yaml",
    "YOLOE-seg": "yoloe-v8n-seg.yaml",
}
"""Models with a class of their own, which stands for a task here."""


class Stopped(Exception):
    """Somebody pulled the plug."""


@dataclass
class Run:
    """A run that has ended; `rates` and `momenta` are of each batch, by group."""

    trainer: Any = None
    start: list[Any] = field(default_factory=list)
    rates: list[dict[str, float]] = field(default_factory=list)
    momenta: list[dict[str, float]] = field(default_factory=list)
    accumulates: list[int] = field(default_factory=list)

    def tensors(self) -> list[Any]:
        """Weights and averages by name, and the momentum of each parameter in the model's order."""
        model, ema = self.trainer.model, self.trainer.ema.ema
        state = self.trainer.optimizer.state
        moments = [
            value
            for parameter in model.parameters()
            if parameter in state
            for _, value in sorted(state[parameter].items())
        ]
        return [*model.state_dict().values(), *ema.state_dict().values(), *moments]

    @property
    def moved(self) -> bool:
        now = self.trainer.model.parameters()
        return any(not before.equal(after) for before, after in zip(self.start, now, strict=True))

    @property
    def csv(self) -> Path:
        return self.trainer.csv

    def watch(self, trainer: Any) -> None:
        """Called at the end of each batch."""
        self.trainer = trainer
        groups = [
            (group.get("name", str(i)), group)
            for i, group in enumerate(trainer.optimizer.param_groups)
        ]
        self.rates.append({name: group["lr"] for name, group in groups})
        momenta = {name: group.get("momentum", group.get("betas")) for name, group in groups}
        self.momenta.append(momenta)
        self.accumulates.append(trainer.accumulate)


class Runs:
    """Runs in one folder, each in one of its own; data and models are made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[str] = []
        self._data: dict[str, str] = {}
        self._count = 0

    @property
    def folder_of_last(self) -> Path:
        return self.folder / f"run{self._count}"

    def data(self, task: str) -> str:
        if task in DETECTORS:
            task = "segment" if task.endswith("-seg") else "detect"
        if task not in self._data:
            self._data[task] = data_for(task, self.folder / f"data-{task}", IMAGES)
        return self._data[task]

    def config(self, task: str) -> str:
        """A model of an eighth of the width of its smallest."""
        from ultralytics.nn.tasks import yaml_model_load

        name = (CONFIGS | DETECTORS)[task]
        path = self.folder / name.replace(".yaml", "-tiny.yaml")
        made = yaml_model_load(name)
        made = {k: v for k, v in made.items() if k not in ("yaml_file", "scale")}
        made["scales"] = {"n": [0.33, 0.0625, 256]}
        path.write_text(yaml.safe_dump(made), "utf-8")
        return str(path)

    def yolo(self, task: str) -> Any:
        import ultralytics

        if task in DETECTORS:
            return getattr(ultralytics, task.removesuffix("-seg"))(self.config(task))
        return ultralytics.YOLO(self.config(task), task=task, verbose=False)

    def model(self, task: str) -> Any:
        """The model as a run trains it, so far as rules can see."""
        return self.yolo(task).model

    def train(self, task: str, *, callbacks: dict[str, Any] | None = None, **arguments: Any) -> Run:
        return self.go(self.yolo(task), Run(), callbacks, self.arguments(task, arguments))

    def interrupt(self, task: str, *, at: int, **arguments: Any) -> Run:
        """A run that dies at the end of a batch."""

        def die(trainer: Any) -> None:
            if len(run.rates) == at:
                raise Stopped

        run, yolo = Run(), self.yolo(task)
        given = self.arguments(task, arguments)
        try:
            self.go(yolo, run, {"on_train_batch_end": die}, given)
        except Stopped:
            return run
        raise AssertionError("the run came to its end")

    def resume(self, stopped: Run, **arguments: Any) -> Run:
        """The run goes on from its last.pt."""
        from ultralytics import YOLO

        yolo = YOLO(str(stopped.trainer.last), verbose=False)
        return self.go(yolo, Run(), None, {"resume": True, "device": "cpu", **arguments})

    def arguments(self, task: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        self.seen.clear()
        return {
            "data": self.data(task),
            "imgsz": SIZE,
            "batch": 4,
            "plots": False,
            "workers": 0,
            "seed": 1,
            "device": "cpu",
            "project": str(self.folder),
            "name": self.folder_of_last.name,
            "verbose": False,
            **arguments,
        }

    def go(self, yolo: Any, run: Run, callbacks: Any, arguments: dict[str, Any]) -> Run:
        def begin(trainer: Any) -> None:
            run.trainer = trainer
            run.start = [p.detach().clone() for p in trainer.model.parameters()]

        yolo.add_callback("on_train_start", begin)
        yolo.add_callback("on_train_batch_start", lambda _: self.seen.append("batch"))
        yolo.add_callback("on_train_batch_end", run.watch)
        for event, callback in (callbacks or {}).items():
            yolo.add_callback(event, callback)
        yolo.train(**arguments)
        return run


def as_ultralytics(optimizer, epochs, warmup, batch=4, nbs=10, of=None, **variables):
    """The arguments of Ultralytics' own run, and the trainer whose rules say the same."""
    from grouper.integrations.ultralytics import trainer

    file, rates = OPTIMIZERS[optimizer]
    decay = 0.0005 * batch * max(round(nbs / batch), 1) / nbs
    own = {"optimizer": optimizer, "warmup_epochs": warmup, **rates, **variables}
    both = {"epochs": epochs, "batch": batch, "nbs": nbs}
    said = {"decay": decay, "epochs": epochs, "warmup_epochs": warmup, "warmup_bias_lr": 0.1}
    curve = {"curve": "cosine"} if own.get("cos_lr") else {}
    ruled = trainer(file, of=of, **{**said, **rates, **curve})
    return {**own, **both, **({"trainer": of} if of else {})}, {"trainer": ruled, **both}


def same(left, right):
    """Whether two runs came to the same, to the last bit: weights, averages, moments."""
    for ours, theirs in zip(left.tensors(), right.tensors(), strict=True):
        if not ours.equal(theirs):
            return False
    return left.moved and right.moved
