"""The bases of classes that a file can name but not describe, from a recorded table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("class_bases.json")
PACKAGED = "yolov5.models."


def bases_of(cls: str) -> tuple[str, ...] | None:
    """The dotted names of a class's bases, nearest first; None where they are not known.

    YOLOv5's classes are `models.*` in its repository, and `yolov5.models.*` in its package.
    """
    if not cls.startswith(PACKAGED):
        return _table().get(cls)
    bases = _table().get(cls.removeprefix("yolov5."))
    return bases and tuple("yolov5." + b if b.startswith("models.") else b for b in bases)


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    """Class -> all its bases but `object`, in the order of the recorded MRO."""
    recorded: dict[str, list[str]] = json.loads(TABLE.read_text("utf-8"))
    return {cls: tuple(bases) for cls, bases in recorded.items()}
