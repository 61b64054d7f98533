"""The tutorial, followed as it is written: the files it says to write, then the commands."""

import re
import shlex

import pytest
from support.pages import ROOT

import grouper
from grouper.cli.main import main

PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
STEPS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = [text for language, text in STEPS if language == ""]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_say_what_the_page_says(folder, capsys):
    outcomes = {}
    for language, text in STEPS:
        if language == "":
            (folder / "my.rules").write_text(text, "utf-8")
        for line in text.splitlines() if language == "console" else ():
            command = line.removeprefix("$ grouper ")
            outcomes[command.split()[0]] = main(shlex.split(command)), capsys.readouterr().out
    status, out = outcomes.pop("check")
    assert status == 1
    assert "156 " in out  # the first file forgets the rest, as the page says
    assert outcomes.keys() == {"params", "plan"}
    assert all(status == 0 for status, _ in outcomes.values())


@pytest.mark.parametrize("text", FILES[1:])
def test_files_after_the_first_are_right(folder, text, capsys):
    (folder / "my.rules").write_text(text, "utf-8")
    assert main(["check", "examples/yolov5s.pt", "my.rules"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("command", re.findall(r"`grouper ((?:explain|view) [^`]*)`", PAGE))
def test_commands_of_the_text(folder, command, capsys):
    (folder / "my.rules").write_text(FILES[2], "utf-8")
    assert main(shlex.split(command)) == 0, capsys.readouterr()


def test_the_loop_trains(folder):
    torch = pytest.importorskip("torch")
    (folder / "my.rules").write_text(FILES[-1], "utf-8")
    model = torch.nn.Sequential()
    model.add_module("body", torch.nn.Linear(4, 4))
    model.add_module("model", torch.nn.ModuleDict({"24": torch.nn.Linear(4, 3)}))
    model.model.forward = lambda features: model.model["24"](features)
    before = {name: value.clone() for name, value in model.named_parameters()}
    loader = [(torch.randn(2, 4), torch.tensor([0, 2]))] * 2
    (code,) = [text for language, text in STEPS if language == "python"]
    names = {"grouper": grouper, "torch": torch, "model": model, "loader": loader}
    exec(compile(code, "tutorial.md", "exec"), names)
    assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters())
