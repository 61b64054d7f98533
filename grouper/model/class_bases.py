"""The bases of classes that model files only name, from recorded tables."""

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
    """The dotted names of a class's bases, nearest first; None if unknown.

    YOLOv5's classes are `models.*` in its repository, and `yolov5.models.*` in its package.
    """
    if not cls.startswith(PACKAGED):
        return _bases(cls)
    bases = _bases(cls.removeprefix("yolov5."))
    return bases and tuple("yolov5." + b if b.startswith("models.") else b for b in bases)


@cache
def layers() -> tuple[str, ...]:
    """torch's layers without child modules: norms, linear, convolutions, embeddings, ..."""
    return tuple(
        f"{module}.{name}"
        for module, classes in _table("torch").items()
        if _LAYERS.match(module)
        for name in classes
        if name not in _HOLDERS
    )


@cache
def _bases(cls: str) -> tuple[str, ...] | None:
    stand_in = _stand_in(cls.partition(".")[0], cls)
    return None if stand_in is None else tuple(base.__name__ for base in stand_in.__mro__[1:-1])


@cache
def _stand_in(package: str, cls: str) -> type | None:
    """An empty class with the recorded bases, so that Python computes their order (the MRO)."""
    module, _, name = cls.rpartition(".")
    of_torch = module.startswith("torch.nn.modules.")
    bases = _table("torch" if of_torch else package).get(module, {}).get(name)
    if bases is None:
        return None
    parents: list[type] = []
    for base in bases.split():
        parent = _stand_in(package, base if "." in base else f"{module}.{base}")
        if parent is None:
            return None
        parents.append(parent)
    return type(cls, tuple(parents), {})


@cache
def _table(package: str) -> Mapping[str, Mapping[str, str]]:
    """Module -> class -> direct bases except `object`; bases in the same module by bare name."""
    path = TABLES / f"{package}.json"
    if not package.isidentifier() or not path.exists():
        return {}
    table: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8"))
    return table
