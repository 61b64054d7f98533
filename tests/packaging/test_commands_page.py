"""The examples in docs/commands.md are what the commands print."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from grouper.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
EXAMPLES = re.findall(r"```console\n\$ grouper (.*)\n((?s:.*?))```", PAGE)


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_examples_are_what_is_printed(command, shown, tmp_path, monkeypatch, capsys):
    for name in ("examples", "rules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "mine.rules").write_text(re.search(r"```\n(model.24.*\n)```", PAGE)[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)  # the page shows a terminal
    main(shlex.split(command))
    captured = capsys.readouterr()
    printed = [line.rstrip() for line in (captured.out + captured.err).splitlines()]
    for block in re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE):
        lines = block.splitlines()
        starts = range(len(printed) - len(lines) + 1)
        start = next((i for i in starts if printed[i : i + len(lines)] == lines), None)
        assert start is not None, f"not printed:\n{block}"
        printed = printed[start + len(lines) :]
    assert shown.endswith("...\n") or not printed


def test_every_command_has_its_section():
    assert re.findall(r"^## ([a-z]+)$", PAGE, flags=re.MULTILINE) == list(COMMANDS)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
