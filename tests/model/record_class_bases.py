"""Records the bases of the module classes that can be imported here.

    python tests/model/record_class_bases.py

adds torch's, Ultralytics' and YOLOv5's classes, as far as they are installed, to
grouper/model/class_bases.json.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import pkgutil
import sys
from pathlib import Path

from torch import nn

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "grouper" / "model" / "class_bases.json"
PACKAGES = ("torch.nn.modules", "ultralytics.nn")


def classes(package: str) -> dict[str, list[str]]:
    """Each module class defined in a package, with the dotted names of its bases."""
    found: dict[str, list[str]] = {}
    root = importlib.import_module(package)
    names = [package]
    for info in pkgutil.walk_packages(getattr(root, "__path__", []), package + "."):
        names.append(info.name)
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception as error:
            print(f"passed over {name}: {error}", file=sys.stderr)
            continue
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, nn.Module) and cls.__module__.startswith(package.split(".")[0]):
                bases = [f"{b.__module__}.{b.__qualname__}" for b in cls.__mro__[1:-1]]
                found[f"{cls.__module__}.{cls.__qualname__}"] = bases
    return found


def main() -> None:
    table: dict[str, list[str]] = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for package in PACKAGES:
        if importlib.util.find_spec(package.split(".")[0]) is not None:
            table.update(classes(package))
    if importlib.util.find_spec("yolov5") is not None:
        sys.path.insert(0, str(ROOT / "tests" / "oracles"))
        from yolov5_code import prepare

        prepare()
        for package in ("models.common", "models.experimental", "models.yolo"):
            table.update(
                {n: b for n, b in classes(package).items() if n.startswith(package.split(".")[0])}
            )
    lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(b)}" for n, b in sorted(table.items()))
    TABLE.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
