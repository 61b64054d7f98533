"""What benchmarks of training train, on the CPU: a model, and the loss of a batch of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

Training = tuple[nn.Module, Callable[[], Tensor]]


def yolov8n(size: int = 320, batch: int = 4) -> Training:
    """YOLOv8n from its configuration, with the loss that Ultralytics trains it by."""
    from ultralytics.cfg import get_cfg
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel("yolov8n.yaml", verbose=False)
    model.args = get_cfg()
    boxes = 4 * batch
    given = {
        "img": torch.rand(batch, 3, size, size),
        "batch_idx": torch.arange(batch).repeat_interleave(4).float(),
        "cls": torch.randint(0, 80, (boxes, 1)).float(),
        "bboxes": torch.rand(boxes, 4) * 0.5 + 0.25,
    }
    return model.train(), lambda: model(given)[0].sum()


def vit(name: str = "vit_tiny_patch16_224", batch: int = 8, size: int = 224) -> Training:
    """A vision transformer of timm, without weights."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from support.torchvision_stub import define_operators

    define_operators()
    import timm

    model = timm.create_model(name, num_classes=100, img_size=size)
    images, classes = torch.rand(batch, 3, size, size), torch.randint(0, 100, (batch,))
    return model.train(), lambda: nn.functional.cross_entropy(model(images), classes)


TRAININGS: dict[str, Callable[[], Training]] = {
    "YOLOv8n at 320 px, batch 4": yolov8n,
    "vit_tiny at 224 px, batch 8": vit,
    "vit_small at 224 px, batch 4": lambda: vit("vit_small_patch16_224", 4),
}
