"""The bases of classes that a file can name but not describe, from recorded tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TABLES = Path(__file__).with_name("class_bases")
PACKAGED = "yolov5.models."
_LAYERS = re.compile(r"torch\.nn\.modules\.(?!module|container|transformer|adaptive).*")
_HOLDERS = ("MultiheadAttention",)


def bases_of(cls: str) -> tuple[str, ...] | None:
    """The dotted names of a class's bases, nearest first; None where they are not known.

    YOLOv5's classes are `models.*` in its repository, and `yolov5.models.*` in its package.
    """
    if not cls.startswith(PACKAGED):
        return _bases(cls)
    bases = _bases(cls.removeprefix("yolov5."))
    return bases and tuple("yolov5." + b if b.startswith("models.") else b for b in bases)


@cache
def layers() -> tuple[str, ...]:
    """torch's layers that hold no other modules: norms, linear, convolutions, embeddings, ..."""
    return tuple(
        f"{module}.{name}"
        for module, classes in _table("torch").items()
        if _LAYERS.match(module)
        for name in classes
        if name not in _HOLDERS
    )


@cache
def _bases(cls: str) -> tuple[str, ...] | None:
    made = _made(cls.partition(".")[0], cls)
    return None if made is None else tuple(base.__name__ for base in made.__mro__[1:-1])


@cache
def _made(package: str, cls: str) -> type | None:
    """An empty class with the recorded bases: Python then says in which order it has them."""
    module, _, name = cls.rpartition(".")
    of_torch = module.startswith("torch.nn.modules.")
    bases = _table("torch" if of_torch else package).get(module, {}).get(name)
    if bases is None:
        return None
    made: list[type] = []
    for base in bases.split():
        known = _made(package, base if "." in base else f"{module}.{base}")
        if known is None:
            return None
        made.append(known)
    return type(cls, tuple(made), {})


@cache
def _table(package: str) -> Mapping[str, Mapping[str, str]]:
    """Module -> class -> its own bases but `object`, the names of the same module without it."""
    path = TABLES / f"{package}.json"
    if not package.isidentifier() or not path.exists():
        return {}
    table: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8"))
    return table
