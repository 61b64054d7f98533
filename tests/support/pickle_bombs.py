"""Reads files that ask for too much in processes that have little, and judges what came of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 6.0  # of the processor, far above what any takes


def confined_reading(paths):
    """What became of each file or folder: all are read by one process that forks."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "no_network.py"), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    out = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def judge(results, expected):
    """Every file ended as expected, in time; all that did not, together."""
    faults = []
    for case, result in zip(expected, results, strict=True):
        code = expected[case]
        if "killed" in result or result["seen"] or result["seconds"] > SECONDS:
            faults.append((case, result))
        elif result["code"] != code:
            faults.append((case, result, f"not {code}"))
    assert not faults, "\n".join(map(str, faults))
