"""What the tests of the editors' own files need: node, and what `npm ci` puts in editors/vscode."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"


def run_node(script, *arguments, **data):
    """Run a script beside this file; what it prints, as a value."""
    if shutil.which("node") is None:
        pytest.skip("needs node")
    if not (EXTENSION / "node_modules").is_dir():
        pytest.skip("needs `npm ci` in editors/vscode")
    done = subprocess.run(
        ["node", str(Path(__file__).with_name(script)), str(EXTENSION), *map(str, arguments)],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
