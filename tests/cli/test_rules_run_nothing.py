"""Checking a stranger's rules runs no code and fetches nothing, whatever they name."""

import pytest
from support.commands import run

import grouper


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A folder whose module tells that it was imported."""
    (tmp_path / "trap.py").write_text("open('sprung', 'w')\ndef build(): raise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    assert not (tmp_path / "sprung").exists()


NAMED = ["trap:build", "./trap:build", "timm:resnet18", "http://127.0.0.1:9/model.pt", "hf://a/b/c"]


@pytest.mark.parametrize("name", NAMED)
def test_models_of_rules_are_files(name, trap, tmp_path, capsys):
    rules = tmp_path / "my.rules"
    rules.write_text(f'for "{name}"\n* -> all lr=1\n')
    for path in ("my.rules", str(rules)):
        status, out, error = run(capsys, "check", path)
        assert (status, out) == (2, "")
        assert "code or an address" in error or "there is no model file" in error


@pytest.mark.parametrize("name", NAMED)
def test_base_models_of_rules_are_files(name, trap):
    from support.builders import small_yolo

    report = grouper.check(small_yolo(), grouper.parse(f'base_model "{name}"\n* -> all lr=1\n'))
    assert not report.ok
    assert "cannot be read" in report.findings[0].message


def test_the_trap_can_spring(tmp_path, monkeypatch, capsys):
    """On the command line, code is what was asked for."""
    pytest.importorskip("torch")
    (tmp_path / "trapped.py").write_text("open('sprung', 'w')\ndef build(): raise SystemExit\n")
    (tmp_path / "my.rules").write_text("* -> all lr=1\n")
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "check", "trapped:build", "my.rules")[0] == 2
    assert (tmp_path / "sprung").exists()
