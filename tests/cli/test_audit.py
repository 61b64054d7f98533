"""`grouper audit`: what it prints, its formats and its exit statuses."""

import json

import pytest
from support.commands import run

from grouper.reports.formats import AUDIT

MODEL = "examples/yolov5s.pt"


def saved(path, **changes):
    """A checkpoint whose last bias is in no group, and whose groups have a factor for nobody."""
    torch = pytest.importorskip("torch")

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.LayerNorm(8), torch.nn.Linear(8, 2))
    named = list(model.named_parameters())
    groups = [
        {"params": [(n, p) for n, p in named if p.ndim > 1], "lr_scale": 1.0},
        {"params": [(n, p) for n, p in named[:-1] if p.ndim < 2], "lr_scale": 0.1},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    torch.save({"model": model, "optimizer": optimizer.state_dict(), **changes}, path)
    return path


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    saved(tmp_path / "last.pt")
    monkeypatch.chdir(tmp_path)
    return "last.pt"


def test_as_users_see_it(checkpoint, capsys, golden):
    status, out, err = run(capsys, "audit", checkpoint)
    assert (status, err) == (1, "")
    golden("cli/audit.txt", out)


def test_a_sound_one(capsys):
    status, out, err = run(capsys, "audit", MODEL)
    assert (status, err) == (0, "")
    assert out.endswith("ok: 3 groups\n")
    assert run(capsys, "audit", MODEL, "--quiet") == (0, "", "")


@pytest.mark.parametrize("name", AUDIT.renderers)
def test_every_format_names_what_is_found(name, checkpoint, capsys):
    status, out, _ = run(capsys, "audit", checkpoint, "--format", name)
    assert status == 1
    assert "in-no-group" in out or "GR601" in out
    assert "2.bias" in out


def test_json(checkpoint, capsys):
    value = json.loads(run(capsys, "audit", checkpoint, "--format", "json")[1])
    assert value["ok"] is False
    (optimizer,) = value["optimizers"]
    assert (optimizer["class"], optimizer["named"]) == ("AdamW", True)
    assert optimizer["groups"][1]["options"]["lr_scale"] == 0.1
    assert optimizer["groups"][0]["parameters"] == ["0.weight", "2.weight"]
    assert {finding["code"] for finding in value["findings"]} == {"GR601", "GR605"}


def test_findings_can_be_chosen(checkpoint, capsys):
    assert run(capsys, "audit", checkpoint, "--ignore", "GR601")[0] == 0
    assert run(capsys, "audit", checkpoint, "--ignore", "GR601", "--strict")[0] == 1
    assert run(capsys, "audit", checkpoint, "--select", "unread-key")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.pt"], "there is no checkpoint `nowhere.pt`"),
        (["ended.pt"], "its `optimizer` is None, as YOLOv5 and Ultralytics"),
        (["last.pt", "--key", "ema"], "[GR405]"),
        (["last.pt", "--model", "nowhere.pt"], "there is no model file `nowhere.pt`"),
        (["last.pt", "--ignore", "GR999"], "there is no finding `GR999`"),
        ([], "see `grouper audit --help`"),
    ],
)
def test_what_cannot_run_says_why_in_one_line(arguments, words, checkpoint, capsys):
    saved("ended.pt", optimizer=None)
    status, out, err = run(capsys, "audit", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
