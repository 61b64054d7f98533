"""The names that code in README and docs/ takes as given."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from support.fitting_models import Net
from support.pages import Block
from support.ultralytics_cases import BATCHES, Runs

import grouper
from grouper.reports.python.module import python_code


def given(block: Block, folder: Path, yolo: Any, request: Any) -> dict[str, Any]:
    """What stands before a block in its reader's program."""
    model = Net()
    names: dict[str, Any] = {"torch": torch, "grouper": grouper, "math": math, "model": model}
    make = {
        "README.md": _readme,
        "training.md": _training,
        "distributed.md": _distributed,
        "monitor.md": _detector,
        "yolov5.md": _yolov5,
        "commands.md": _emitted,
    }.get(block.page, lambda names, request: {})
    return {**names, "YOLO": yolo, **make(names, request), **_trainer(block)}


def _trainer(block: Block) -> dict[str, Any]:
    if "trainer(" not in block.text:
        return {}
    from grouper.integrations.ultralytics import trainer

    return {"trainer": trainer, "RTDETR": _RTDETR}


def _readme(names: dict[str, Any], request: Any) -> dict[str, Any]:
    model = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
    return _detector(names, request) if "grouper.load" in request.node.name else {"model": model}


def _detector(names: dict[str, Any], request: Any) -> dict[str, Any]:
    from ultralytics.nn.tasks import DetectionModel

    return {"model": DetectionModel("yolov8n.yaml", verbose=False), "loader": range(20)}


def _training(names: dict[str, Any], request: Any) -> dict[str, Any]:
    model = names["model"]
    report = grouper.check(model, "my.rules")
    optimizer = grouper.build_optimizer(model, report)
    plan = grouper.plan(model, report, steps_per_epoch=10, epochs=20)
    saved = {"optimizer": optimizer.state_dict()}
    torch.save(saved, "last.pt")
    scheduler = plan.scheduler(optimizer)
    given = {"report": report, "optimizer": optimizer, "plan": plan, "scheduler": scheduler}
    return {**given, "loader": range(10), "n": 10, "step": 7}


def _distributed(names: dict[str, Any], request: Any) -> dict[str, Any]:
    from torch.distributed import checkpoint as dcp
    from torch.distributed.checkpoint import state_dict
    from torch.nn.parallel import DistributedDataParallel

    dist.init_process_group("gloo", init_method=f"file://{Path('store').resolve()}", rank=0,
                            world_size=1)  # fmt: skip
    request.addfinalizer(dist.destroy_process_group)
    rules = grouper.parse("optimizer SGD lr=0.1\nhead.* -> head\nelse -> backbone freeze\n"
                          "optional not head.* -> lr*=0.1")  # fmt: skip
    model, report = names["model"], grouper.check(names["model"], rules)
    optimizer = grouper.build_optimizer(model, report)
    scheduler = grouper.plan(model, report, steps_per_epoch=9, epochs=3).scheduler(optimizer)
    functions = {name: getattr(state_dict, name) for name in state_dict.__all__}
    saved = {
        "model": state_dict.get_model_state_dict(model),
        "optimizer": state_dict.get_optimizer_state_dict(model, optimizer),
        "scheduler": scheduler,
    }
    dcp.save(saved, checkpoint_id="run/epoch3")
    return {
        **functions, "rules": rules, "report": report, "optimizer": optimizer, "dcp": dcp,
        "scheduler": scheduler, "stage": model, "ranks_of_my_stage": dist.group.WORLD,
        "DistributedDataParallel": DistributedDataParallel, "ddp": DistributedDataParallel(model),
    }  # fmt: skip


def _yolov5(names: dict[str, Any], request: Any) -> dict[str, Any]:
    def smart_optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(model.parameters(), lr=0.1)

    saved = smart_optimizer(names["model"]).state_dict()
    return {"smart_optimizer": smart_optimizer, "ckpt": {"optimizer": saved}}


def _emitted(names: dict[str, Any], request: Any) -> dict[str, Any]:
    """The code that `grouper emit --as python` writes."""
    report = grouper.check(names["model"], grouper.load("my.rules"))
    plan = grouper.plan(names["model"], report, steps_per_epoch=3, epochs=2)
    space: dict[str, Any] = {"__name__": "emitted"}
    exec(python_code(report, plan), space)
    return space


@contextmanager
def ultralytics_runs(folder: Path, monkeypatch: Any) -> Iterator[Any]:
    """`YOLO` whose trainings are of a tiny model on a few images made here, for one epoch."""
    import ultralytics

    made = _model_class(folder)
    monkeypatch.setattr(ultralytics, "YOLO", made)
    yield made


def _model_class(folder: Path) -> Any:
    from ultralytics import YOLO

    class Tiny:
        """A YOLO that stands for whatever its name says."""

        def __new__(cls, name: str, **options: Any) -> Any:
            if options:  # asked for by `Runs`
                return YOLO(name, **options)
            runs = Runs(folder)
            if name.endswith("last.pt"):
                stopped = runs.interrupt("detect", at=BATCHES + 1, trainer=_my_trainer(), epochs=2)
                name = str(stopped.trainer.last)
            model = YOLO(name if "last.pt" in name else runs.config("detect"), verbose=False)
            train = model.train

            def trains(self: Any, **arguments: Any) -> Any:
                if arguments.get("resume"):
                    return train(**{**arguments, "device": "cpu"})
                told = {k: v for k, v in arguments.items() if k not in ("data", "epochs")}
                return train(**runs.arguments("detect", {"epochs": 1, **told}))

            model.train = types.MethodType(trains, model)
            return model

    return Tiny


class _RTDETR:
    """Makes the trainer that it is given, and trains nothing: RT-DETR takes minutes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def train(self, *, trainer: Any, data: str) -> None:
        from ultralytics.models.rtdetr.train import RTDETRTrainer

        overrides = Runs(Path()).arguments("detect", {"model": self.name})
        assert isinstance(trainer(overrides=overrides), RTDETRTrainer)


def _my_trainer() -> Any:
    from grouper.integrations.ultralytics import trainer

    return trainer("my.rules")
