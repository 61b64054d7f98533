"""Rules that say what torchtitan and axolotl do: their own code trains to the same bits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from support.frameworks import QUIET, paths_of  # noqa: E402
from support.torchrun import ROOT, launch  # noqa: E402

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


def run(framework, *command):
    paths = os.pathsep.join([*paths_of(framework), str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**os.environ, **QUIET, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("ranks", [1, 2])
def test_torchtitans_own_run_alone_and_under_fsdp2(ranks, tmp_path):
    paths = paths_of("torchtitan")
    for owner in ("rules", "torchtitan"):
        script = HERE / "torchtitan_run.py"
        launch(script, ranks, owner, tmp_path, paths=paths, **QUIET)
    ours, theirs = (torch.load(tmp_path / f"{owner}.pt") for owner in ("rules", "torchtitan"))
    assert len(ours) > 10
    assert all(torch.equal(ours[name], weight) for name, weight in theirs.items())


def test_the_torchtitan_that_is_recorded_is_the_package():
    tests = HERE / "test_torchtitan.py"
    said = run("torchtitan", "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", tests)
    assert "9 passed" in said


def test_axolotls_own_run(tmp_path):
    run("axolotl", HERE / "axolotl_run.py", tmp_path)
    ours, theirs = (tmp_path / owner / "model.safetensors" for owner in ("rules", "axolotl"))
    assert ours.read_bytes() == theirs.read_bytes()
    saved = tmp_path / "axolotl" / "checkpoint-30" / "optimizer.pt"
    groups = torch.load(saved, weights_only=True)["param_groups"]
    assert not any("name" in group for group in groups)
