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
def test_transformers(tmp_path):
    said = said_by("transformers_train.py", tmp_path, "transformers", "accelerate")
    before, after = shares(said)
    assert before < 60 < 90 < after
    assert "stopped at step 70 and resumed, after 192 steps" in said
    assert "lr of head/weight at step 70" in said


@pytest.mark.slow
def test_lightning(tmp_path):
    said = said_by("lightning_train.py", tmp_path, "lightning")
    before, after = shares(said)
    assert before < 60 < 85 < after
    assert "'backbone0': '0', 'backbone1': '0', 'backbone2': '0', 'head': '0.0" in said


@pytest.mark.slow
def test_accelerate(tmp_path):
    said = said_by("accelerate_train.py", tmp_path, "accelerate")
    before, after = shares(said)
    assert before < 75 < 95 < after
    assert "saved half-way and resumed, the weights are the same" in said


@pytest.mark.slow
def test_timm(tmp_path):
    said = said_by("timm_train.py", tmp_path, "timm")
    before, after = shares(said)
    assert before < 45 < 80 < after
    assert "block0/kept: lr 0.0016" in said


@pytest.mark.slow
def test_two_towers(tmp_path):
    said = said_by("clip_train.py", tmp_path)
    before, after = shares(said)
    assert before < 20 < 85 < after
    assert "temperature/gain_or_bias: 1 tensors, weight decay 0" in said


@pytest.mark.slow
def test_self_distillation(tmp_path):
    said = said_by("dino_train.py", tmp_path)
    before, after = shares(said)
    assert before < 30 < 90 < after
    assert "last/matrix: lr 1e-05, weight decay 0.4" in said
