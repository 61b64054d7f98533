"""What the README says works as it stands there."""

import re
from pathlib import Path

import pytest

import grouper

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language):
    fenced = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
    return [text for word, text in fenced if word == language]


def test_the_rules_are_sound_and_fit_the_shipped_checkpoint(monkeypatch):
    monkeypatch.chdir(ROOT)
    whole = next(text for text in blocks("") if "split part" in text)
    report = grouper.check("examples/yolov5s.pt", grouper.parse(whole, "readme.rules"), key="model")
    assert report.ok
    assert not report.findings
    two = next(text for text in blocks("") if "model.24.*" in text)
    assert not grouper.parse(two, "readme.rules").findings


def test_the_example_in_code_runs(capsys, monkeypatch):
    ultralytics = pytest.importorskip("ultralytics")
    assert ultralytics
    from ultralytics.nn.tasks import DetectionModel

    (code,) = [text for text in blocks("python") if "grouper.check" in text]
    exec(code, {"model": DetectionModel("yolov8n.yaml", verbose=False)})
    assert "head/bias" in capsys.readouterr().out


def test_the_first_program_is_the_one_that_runs_in_the_tests():
    by_hand, program = blocks("python")[:2]
    assert program == (ROOT / "examples" / "train.py").read_text("utf-8")
    assert by_hand in (ROOT / "examples" / "train_by_hand.py").read_text("utf-8")
    assert len(by_hand.splitlines()) == 10
    assert len(program.splitlines()) <= 15


def test_the_picture_is_what_the_command_prints(tmp_path, monkeypatch):
    import runpy

    before = (ROOT / "docs" / "check.svg").read_text("utf-8")
    runpy.run_path(str(ROOT / "docs" / "screenshot.py"), run_name="__main__")
    assert (ROOT / "docs" / "check.svg").read_text("utf-8") == before


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
