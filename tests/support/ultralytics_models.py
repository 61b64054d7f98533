"""The models that Ultralytics ships as YAML files, built as `YOLO(...)` builds them."""

import re
from pathlib import Path

import pytest

ultralytics = pytest.importorskip("ultralytics")

from support.torchvision_stub import define_operators  # noqa: E402

CONFIGS = Path(ultralytics.__file__).parent / "cfg" / "models"
ALL = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.glob("*/*.yaml"))


def built(config):
    """The model of a YAML file, in its smallest scale, with weights of chance."""
    define_operators()
    from ultralytics import RTDETR, YOLO
    from ultralytics.nn import tasks

    path = CONFIGS / config
    if "resnet18" in path.name:
        return tasks.ClassificationModel(_without_download(path), verbose=False)
    if tasks.guess_model_scale(path) == "" and "n" in tasks.yaml_model_load(path).get("scales", ()):
        path = path.with_name(re.sub(r"(\d+)", r"\1n", path.name, count=1))
    if "rtdetr" in path.name:
        return RTDETR(str(path)).model
    return YOLO(str(path), verbose=False).model


def _without_download(path):
    """The file's own settings but for the weights, which torchvision would fetch."""
    from ultralytics.nn import tasks

    made = tasks.yaml_model_load(path)
    made["backbone"][0][3][2] = None
    return made
