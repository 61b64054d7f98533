"""The heads of Ultralytics' models, and which trainer they need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn
from ultralytics.nn.tasks import yaml_model_load

OTHER_TRAINERS = {
    "RTDETRDecoder": "ultralytics.models.rtdetr.train.RTDETRTrainer",
    "WorldDetect": "ultralytics.models.yolo.world.WorldTrainer",
    "YOLOEDetect": "ultralytics.models.yolo.yoloe.YOLOETrainer",
    "YOLOESegment": "ultralytics.models.yolo.yoloe.YOLOESegTrainer",
    "YOLOESegment26": "ultralytics.models.yolo.yoloe.YOLOESegTrainer",
}
"""Trainer classes of models that `YOLO`'s trainers do not train, by the class of their head."""


def head_of(cfg: Any, weights: Any) -> str:
    """The class of a model's last layer, by what Ultralytics builds the model from."""
    layers = getattr(weights, "model", None)
    if isinstance(layers, nn.Sequential):
        return type(layers[-1]).__name__
    made = yaml_model_load(cfg) if isinstance(cfg, str | Path) else cfg or {}
    head = made.get("head")
    return str(head[-1][2]) if head else ""
