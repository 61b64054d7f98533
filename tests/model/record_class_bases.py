"""Records the bases of the module classes that can be imported here.

    python tests/model/record_class_bases.py

writes a table in grouper/model/class_bases/ for each package that is installed. A table holds every
class of modules that the package defines, and all that these are derived from but torch's.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

from torch import nn

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "grouper" / "model" / "class_bases"
PACKAGES = {
    "models": ("models.common", "models.experimental", "models.yolo"),
    "peft": ("peft",),
    "timm": ("timm",),
    "torch": ("torch.nn.modules",),
    "torchvision": ("torchvision.models", "torchvision.ops"),
    "ultralytics": ("ultralytics.nn",),
}


def classes(package: str) -> Iterator[type]:
    """The module classes that a package defines."""
    root = importlib.import_module(package)
    paths = getattr(root, "__path__", [])
    names = [package, *(info.name for info in pkgutil.walk_packages(paths, package + ".", print))]
    for name in names:
        try:
            module = importlib.import_module(name)
        except BaseException as error:
            print(f"passed over {name}: {error}", file=sys.stderr)
            continue
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, nn.Module) and cls.__module__.startswith(package.split(".")[0]):
                yield cls


def table(found: set[type]) -> dict[str, dict[str, str]]:
    """Module -> class -> its own bases."""
    rows: dict[str, dict[str, str]] = {}
    every = {cls for one in found for cls in one.__mro__[:-1]}
    for cls in sorted(every, key=lambda cls: (cls.__module__, cls.__qualname__)):
        bases = [_name(base, cls.__module__) for base in cls.__bases__ if base is not object]
        rows.setdefault(cls.__module__, {})[cls.__qualname__] = " ".join(bases)
    return rows


def _name(base: type, module: str) -> str:
    same = base.__module__ == module and "." not in base.__qualname__
    return base.__qualname__ if same else f"{base.__module__}.{base.__qualname__}"


def main() -> None:
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "oracles")]
    from support import torchvision_stub
    from yolov5_code import prepare

    torchvision_stub.mend()
    if importlib.util.find_spec("yolov5") is not None:
        prepare()
    TABLES.mkdir(exist_ok=True)
    for package, parts in PACKAGES.items():
        if importlib.util.find_spec(package) is not None:
            rows = table({cls for part in parts for cls in classes(part)})
            if package != "torch":
                rows = {m: c for m, c in rows.items() if not m.startswith("torch.nn.modules.")}
            text = ",\n".join(f"{json.dumps(m)}: {json.dumps(c)}" for m, c in rows.items())
            (TABLES / f"{package}.json").write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    main()
