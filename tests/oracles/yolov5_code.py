"""Makes YOLOv5's own code importable: its package folder on `sys.path`, and torchvision mended.

Run in an environment of its own, for Python 3.11:

    pip install -r tests/oracles/yolov5_requirements.txt
    pip install --no-deps -r tests/oracles/yolov5_packages.txt
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.torchvision_stub import define_operators


def prepare() -> Path:
    """Put YOLOv5's folder first on the path, so that its classes are `models.yolo.*`."""
    define_operators()
    found = importlib.util.find_spec("yolov5")
    assert found is not None
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0])
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, _Redirect())
    sys.modules["yolov5"] = ModuleType("yolov5")
    sys.modules["yolov5"].__path__ = []
    os.environ.setdefault("YOLOv5_VERBOSE", "false")
    return folder


class _Redirect(MetaPathFinder, Loader):
    """`yolov5.models.common` is `models.common`, as in YOLOv5's own repository."""

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name.startswith("yolov5.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module(spec.name.removeprefix("yolov5."))

    def exec_module(self, module: ModuleType) -> None:
        pass
