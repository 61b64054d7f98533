"""The example in docs/convert.md is what the command prints, and its table names every system."""

import re
import shlex
from pathlib import Path

from support.commands import run

from grouper.generate.convert.systems import SYSTEMS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "convert.md").read_text("utf-8")


def test_the_example_is_what_is_printed(tmp_path, monkeypatch, capsys):
    config = re.search(r"```python\n((?s:.*?))```", PAGE)[1]
    command, shown = re.search(r"```console\n\$ grouper (.*)\n((?s:.*?))```", PAGE).groups()
    (tmp_path / "config.py").write_text(config)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *shlex.split(command))
    assert status == 0
    assert out + err == shown


def test_every_system_has_its_row():
    rows = re.findall(r"^\| `(\w[\w-]*)` \|", PAGE, re.MULTILINE)
    assert rows == list(SYSTEMS)
