"""Frameworks whose requirements do not go with the others': each installed in a folder of its own.

`tests/oracles/frameworks/NAME.txt` says what is needed, and GROUPER_FRAMEWORKS is the folder that
has a folder for each. Where a framework is not installed, its tests skip.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

ORACLES = Path(__file__).parents[1] / "oracles" / "frameworks"
QUIET = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"}


def paths_of(name: str) -> list[str]:
    """What PYTHONPATH begins with for a framework: nothing if it is installed beside the others."""
    installed = Path(os.environ.get("GROUPER_FRAMEWORKS", "")) / name
    if (installed / name).is_dir():
        stubs = ORACLES / f"{name}_stubs"
        return [str(installed), *([str(stubs)] if stubs.is_dir() else [])]
    if find_spec(name) is None:  # importing it here would import torchvision
        pytest.skip(f"{name} is not installed: see CONTRIBUTING.md")
    return []
