"""`grouper diff`: what it prints, and its exit statuses."""

import json

import pytest
from support.commands import run

from grouper.model.formats.snapshot import dumps
from grouper.model.inventory import Inventory

MODEL = "examples/yolov5s.pt"


def test_rules(tmp_path, capsys, golden):
    (tmp_path / "a.rules").write_text(
        "optimizer SGD lr=0.01\nmodel.24.* -> head; else *.bias -> bias; else -> rest\n"
    )
    (tmp_path / "b.rules").write_text(
        "optimizer SGD lr=0.01\nwarmup steps=9\n"
        "model.24.* -> head lr=0.1; else model.0.* -> freeze; else *.bias -> bias; else -> rest\n"
    )
    pair = [str(tmp_path / "a.rules"), str(tmp_path / "b.rules")]
    status, out, err = run(capsys, "diff", MODEL, *pair)
    assert (status, err) == (1, "")
    golden("cli/diff.txt", out.replace(str(tmp_path), "."))
    assert run(capsys, "diff", MODEL, pair[0], pair[0]) == (0, "no change: 177 tensors\n", "")
    assert run(capsys, "diff", MODEL, pair[0], pair[0], "-q") == (0, "", "")
    value = json.loads(run(capsys, "diff", MODEL, *pair, "--format", "json")[1])
    assert value["same"] is False
    assert value["changes"][0]["parameters"] == ["model.0.conv.weight", "model.0.bn.weight"]
    assert value["changes"][0]["after"] == {"group": None, "frozen": True, "options": {}}


def test_models(tmp_path, capsys, monkeypatch):
    from grouper.model.read import read

    inventory = read(str(MODEL))
    fewer = Inventory(inventory.parameters[:-2], inventory.modules, order=inventory.order)
    (tmp_path / "small.json").write_text(dumps(fewer))
    status, out, err = run(capsys, "diff", MODEL, str(tmp_path / "small.json"), "yolov5")
    assert (status, err) == (1, "")
    assert "model.24.m.2.{weight,bias}" in out or "model.24.m.2.weight" in out
    assert "disappeared" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.pt", "yolov5", "yolov5"], "there is no model file"),
        ([MODEL, "yolov5", "nowhere.rules"], "nowhere.rules"),
        ([MODEL, "yolov5", "vit-layer-decay"], "so there are no groups; see `grouper check"),
        ([MODEL, "yolov5"], "RULES"),
    ],
)
def test_what_cannot_run_says_why_in_one_line(arguments, words, capsys):
    status, out, err = run(capsys, "diff", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
