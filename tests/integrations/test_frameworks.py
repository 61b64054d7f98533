"""Rules that say what torchtitan and axolotl do: their own code trains to the same bits."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from support.frameworks import paths_of, python  # noqa: E402
from support.torchrun import launch  # noqa: E402

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("ranks", [1, 2])
def test_torchtitans_own_run_alone_and_under_fsdp2(ranks, tmp_path):
    paths = paths_of("torchtitan")
    for owner in ("rules", "torchtitan"):
        launch(HERE / "torchtitan_run.py", ranks, owner, tmp_path, paths=paths)
    ours, theirs = (torch.load(tmp_path / f"{owner}.pt") for owner in ("rules", "torchtitan"))
    assert len(ours) > 10
    assert all(torch.equal(ours[name], weight) for name, weight in theirs.items())


def test_the_torchtitan_that_is_recorded_is_the_package():
    tests = HERE / "test_torchtitan.py"
    options = ("-n", "0", "-p", "no:cacheprovider")
    said = python("-m", "pytest", *options, tests, needed=["torchtitan"])
    assert "9 passed" in said


def test_axolotls_own_run(tmp_path):
    python(HERE / "axolotl_run.py", tmp_path, needed=["axolotl"])
    ours, theirs = (tmp_path / owner / "model.safetensors" for owner in ("rules", "axolotl"))
    assert ours.read_bytes() == theirs.read_bytes()
    saved = tmp_path / "axolotl" / "checkpoint-30" / "optimizer.pt"
    groups = torch.load(saved, weights_only=True)["param_groups"]
    assert not any("name" in group for group in groups)
