"""Frameworks whose requirements do not go with the others': each installed in a folder of its own.

`tests/oracles/frameworks/NAME.txt` says what is needed, and GROUPER_FRAMEWORKS is the folder that
has a folder for each. Where a framework is not installed, its tests skip.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORACLES = ROOT / "tests" / "oracles" / "frameworks"
ALONE = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1"}


def paths_of(name: str) -> list[str]:
    """What PYTHONPATH begins with for a framework: nothing if it is installed beside the others."""
    installed = Path(os.environ.get("GROUPER_FRAMEWORKS", "")) / name
    if (installed / name).is_dir():
        stubs = ORACLES / f"{name}_stubs"
        return [str(installed), *([str(stubs)] if stubs.is_dir() else [])]
    if find_spec(name) is None:  # importing it here would import torchvision
        pytest.skip(f"{name} is not installed: see CONTRIBUTING.md")
    return []


def python(*arguments, needed, folder=None, seconds=120) -> str:
    """What Python prints where the needed frameworks can be imported; an error fails the test.

    It runs in `folder`, which is also where it finds room for temporary files.
    """
    paths = [path for name in needed for path in paths_of(name)]
    paths += [str(ROOT), str(ROOT / "tests")]
    room = {} if folder is None else {"TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, **ALONE, **room, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
