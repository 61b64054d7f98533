"""The example for Ultralytics runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

ROOT = Path(__file__).parents[2]
MENDED = """
import runpy
from support import torchvision_stub
torchvision_stub.mend()
runpy.run_path({!r}, run_name="__main__")
"""


@pytest.mark.slow
def test_the_example_runs(tmp_path):
    code = MENDED.format(str(ROOT / "examples" / "ultralytics_finetune.py"))
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    said = {"PYTHONPATH": paths, "TMPDIR": str(tmp_path), "YOLO_OFFLINE": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **said},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    accuracies = re.findall(r": (\d+)% of 256 new images are right", done.stdout)
    two, four = map(int, accuracies)
    assert two >= 65  # guessing gets 50
    assert four >= 50  # guessing gets 25
    assert "GR211" not in done.stderr  # each group leaves its warm-up
    (monitored,) = tmp_path.glob("*/finetune/monitor.jsonl")
    assert "yolo-finetune.rules:" in monitored.read_text("utf-8")
    (results,) = tmp_path.glob("*/finetune/results.csv")
    assert "lr/head/bias" in results.read_text("utf-8")
