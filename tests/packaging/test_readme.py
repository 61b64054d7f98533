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


def test_the_first_programs_are_those_that_run_in_the_tests():
    by_hand, ours, program = blocks("python")[:3]
    assert program == (ROOT / "examples" / "train.py").read_text("utf-8")
    assert by_hand in (ROOT / "examples" / "train_by_hand.py").read_text("utf-8")
    model = next(line for line in program.splitlines(True) if line.startswith("model = "))
    assert ours in program.replace(model, "")  # of the same scope as what is done by hand
    assert len(by_hand.splitlines()) == 10
    assert len(program.splitlines()) <= 15


def test_the_pictures_are_what_the_command_prints():
    import runpy

    files = [ROOT / "docs" / f"check-{theme}.svg" for theme in ("light", "dark")]
    before = [file.read_text("utf-8") for file in files]
    runpy.run_path(str(ROOT / "docs" / "screenshot.py"), run_name="__main__")
    assert [file.read_text("utf-8") for file in files] == before
    for text in before:
        hosts = set(re.findall(r"https?://[^\s\"'<>]+", text))
        assert hosts == {"http://www.w3.org/2000/svg"}  # a name, and not an address


def test_the_figures_are_those_of_the_tests_and_benchmarks():
    mistakes = len(list((ROOT / "tests" / "checks" / "mistakes").iterdir()))
    assert f"**{mistakes} of {mistakes}**" in README
    growth = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    assert "| read and check a snapshot, parameters | 100,000 | 1.4 | 1.3 |" in growth
    assert "**100,000** parameters are read and checked in 1.4 s" in README


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", README):
        assert (ROOT / "".join(target)).exists(), target
