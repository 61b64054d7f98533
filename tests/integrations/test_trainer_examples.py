"""The examples for trainers and loops run as they stand there, and say truly what they learnt."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch")

ROOT = Path(__file__).parents[2]
# Beside a CPU torch that torchvision's compiled operators do not fit, they are declared.
MENDED = """
import runpy
from support.torchvision_stub import define_operators
define_operators()
runpy.run_path({!r}, run_name="__main__")
"""


def said_by(example, folder, *needed, limit=120):
    if not all(map(find_spec, needed)):  # importing it here would import torchvision
        pytest.skip(f"needs {' and '.join(needed)}")
    code = MENDED.format(str(ROOT / "examples" / example))
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=limit,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shares(said):
    """The shares told right, in percent, in the order in which they are printed."""
    return [float(number) for number in re.findall(r"([\d.]+)% of unseen", said)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "needed", "most_before", "least_after", "texts"),
    [
        (
            "transformers_train.py",
            ("transformers", "accelerate"),
            60,
            90,
            ("stopped at step 70 and resumed, after 192 steps", "lr of head/weight at step 70"),
        ),
        (
            "lightning_train.py",
            ("lightning",),
            60,
            85,
            ("'backbone0': '0', 'backbone1': '0', 'backbone2': '0', 'head': '0.0",),
        ),
        (
            "accelerate_train.py",
            ("accelerate",),
            75,
            95,
            ("saved half-way and resumed, the weights are the same",),
        ),
        ("timm_train.py", ("timm",), 45, 80, ("block0/kept: lr 0.0016",)),
        ("clip_train.py", (), 20, 85, ("temperature/gain_or_bias: 1 tensors, weight decay 0",)),
        ("dino_train.py", (), 30, 90, ("last/matrix: lr 1e-05, weight decay 0.4",)),
    ],
)
def test_an_example(example, needed, most_before, least_after, texts, tmp_path):
    said = said_by(example, tmp_path, *needed)
    before, after = shares(said)
    assert before < most_before < least_after < after
    for text in texts:
        assert text in said
