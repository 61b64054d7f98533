"""One run of YOLOv5's train.py in this process, watched: what train_yolov5.py starts.

    python tests/oracles/yolov5_run.py < run.json

The run's description comes in as JSON, what became of it goes out as the last line. The package
`yolov5` that is first on the path is the one that runs, as it is or with the patch. Nothing of it
is replaced but its data's place in this process: it is watched through its own callbacks.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.torchvision_stub import define_operators

# No thread may change the order of a sum, nothing may be fetched, and YOLOv5 loads whole modules.
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1",
}


class Interrupted(Exception):
    """Ends a run at the start of an epoch, as a user or a power cut does."""


class Watch:
    """What a run did: lr and momentum at every batch, losses, and its model, EMA and optimizer."""

    def __init__(self, train: ModuleType, stop: int | None) -> None:
        from torch.optim.optimizer import register_optimizer_step_post_hook

        self.trace: list[list[Any]] = []
        self.losses: list[list[float]] = []
        self.steps = 0
        self.epoch = 0
        self._stop = stop
        self._optimizer, self._ema, self._model = None, None, None
        self._hook = register_optimizer_step_post_hook(self._count)
        self.callbacks = train.Callbacks()
        for event in ("on_train_start", "on_train_epoch_start", "on_train_batch_end"):
            self.callbacks.register_action(event, callback=getattr(self, "_" + event))
        self._begun = False

    def _count(self, optimizer: Any, *_: Any) -> None:
        self.steps += optimizer is self._optimizer  # and not one that grouper tries a state on

    def _on_train_start(self) -> None:
        """Two frames up is `train`, whose own variables these are."""
        held = sys._getframe(2).f_locals
        self._optimizer, self._ema = held["optimizer"], held["ema"]
        self.epoch = held["start_epoch"]
        self._roles = _roles(held["optimizer"], dict(held["model"].named_parameters()))

    def _on_train_epoch_start(self) -> None:
        self.epoch += self._begun
        self._begun = True
        if self._stop == self.epoch:
            raise Interrupted

    def _on_train_batch_end(self, model: Any, ni: int, *rest: Any) -> None:
        assert ni == len(self.trace) or not self.trace or ni == self.trace[-1][0] + 1
        self._model = model
        groups = zip(self._roles, self._optimizer.param_groups, strict=True)
        values = {role: _values(group) for role, group in groups}
        self.trace.append([ni, *(values[role] for role in sorted(values))])
        self.losses.append([float(loss) for loss in rest[3]])

    def outcome(self) -> dict[str, Any]:
        self._hook.remove()
        moments = _moments(self._optimizer, self._model)
        return {
            "batches": len(self.trace),
            "optimizer_steps": self.steps,
            "groups": sorted(self._roles),
            "trace": self.trace,
            "losses": [self.losses[0], self.losses[-1]],
            "model": _digest(self._model.state_dict().items()),
            "ema": _digest(self._ema.ema.state_dict().items()),
            "moments": _digest(moments),
        }


def _roles(optimizer: Any, named: dict[str, Any]) -> list[str]:
    """The groups' names; those of smart_optimizer, which have none, by their order."""
    names = [group.get("name") for group in optimizer.param_groups]
    return ["bias", "weight", "norm"] if names == [None] * 3 else names


def _values(group: dict[str, Any]) -> list[str]:
    momentum = group["momentum"] if "momentum" in group else group["betas"][0]
    return [float(group["lr"]).hex(), float(momentum).hex()]


def _moments(optimizer: Any, model: Any) -> Iterator[tuple[str, Any]]:
    """What the optimizer remembers of each parameter, in the model's order."""
    for name, parameter in model.named_parameters():
        for key, value in sorted(optimizer.state.get(parameter, {}).items()):
            if value is not None:
                yield f"{name} {key}", value


def _digest(tensors: Any) -> str:
    """SHA-256 over names, types and bytes of tensors."""
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def nms(boxes: Any, scores: Any, threshold: float) -> Any:
    """Non-maximum suppression, which torchvision has only in its compiled operators."""
    import torch
    from torchvision.ops import box_iou

    overlap, kept = box_iou(boxes, boxes) > threshold, []
    for i in scores.argsort(descending=True).tolist():
        if not overlap[i, kept].any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def stub(name: str, *attributes: str) -> None:
    """A client of a service that no run here reaches."""
    module = sys.modules[name] = ModuleType(name)
    for attribute in attributes:
        setattr(module, attribute, None)


def main() -> None:
    run = json.load(sys.stdin)
    define_operators()
    stub("roboflow", "Roboflow")
    stub("roboflow.core")
    stub("roboflow.core.version", "Version")
    import torch
    import torchvision
    import yolov5.train as train

    torchvision.ops.nms = nms
    torch.set_num_threads(1)
    sys.argv[1:] = []
    opt = train.parse_opt()
    for key, value in run["options"].items():
        setattr(opt, key, value)
    watch = Watch(train, run.get("stop"))
    try:
        train.main(opt, watch.callbacks)
    except Interrupted:
        print(json.dumps({"interrupted": watch.epoch}))
        return
    print(json.dumps(watch.outcome()))


if __name__ == "__main__":
    main()
