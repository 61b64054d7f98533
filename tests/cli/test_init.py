"""`grouper init`: a file that is checked as it comes, from a model, a checkpoint or a recipe."""

import os
import re

import pytest
from support.commands import run

from grouper.language.shipped import shipped_rules

torch = pytest.importorskip("torch")
MODEL = "examples/yolov5s.pt"


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A run that was stopped: model, optimizer and a scheduler that has moved the lr."""
    monkeypatch.chdir(tmp_path)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=3e-4, betas=(0.9, 0.95))
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    model(torch.zeros(2, 3)).sum().backward()
    optimizer.step()
    scheduler.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(state, "last.pt")
    torch.save(optimizer.state_dict(), "optimizer.pt")
    torch.save(model.state_dict(), "weights.pt")
    return tmp_path


def test_a_first_file(capsys, golden):
    status, out, err = run(capsys, "init", MODEL, "--key", "model")
    assert (status, err) == (0, "")
    golden("cli/init.txt", out)


def test_the_groups_of_a_checkpoint(checkpoint, capsys, golden):
    status, out, err = run(capsys, "init", "--from", "last.pt")
    assert (status, err) == (0, "")
    golden("cli/init_from.txt", out)
    assert run(capsys, "init", "--from", "last.pt", "--out", "a.rules")[0] == 0
    assert run(capsys, "check", "a.rules", "--strict")[0] == 0
    assert run(capsys, "fmt", "--check", "a.rules")[0] == 0


def test_weights_alone_have_no_groups(checkpoint, capsys):
    status, out, err = run(capsys, "init", "--from", "weights.pt")
    assert (status, out) == (2, "")
    assert "has no optimizer state" in err


def test_the_model_may_be_in_another_file(checkpoint, capsys):
    status, out, _ = run(capsys, "init", "weights.pt", "--from", "optimizer.pt")
    assert status == 0
    assert 'for "weights.pt"' in out
    status, _, err = run(capsys, "init", "--from", "optimizer.pt")
    assert status == 2
    assert "an optimizer but no model" in err


def test_a_file_names_its_model_from_where_it_is(checkpoint, capsys):
    os.mkdir("rules")
    assert run(capsys, "init", "weights.pt", "--out", "rules/a.rules")[1] == "wrote rules/a.rules\n"
    text = (checkpoint / "rules" / "a.rules").read_text()
    assert 'for "../weights.pt"' in text
    assert run(capsys, "check", "rules/a.rules", "--strict")[0] == 0


def test_no_file_is_overwritten(checkpoint, capsys):
    (checkpoint / "mine.rules").write_text("# mine\n")
    for beginning in (["weights.pt"], ["--from", "last.pt"], ["--recipe", "gpt"]):
        status, out, err = run(capsys, "init", *beginning, "--out", "mine.rules")
        assert (status, out) == (2, "")
        assert "already exists" in err
    assert (checkpoint / "mine.rules").read_text() == "# mine\n"


@pytest.mark.parametrize("name", [name for name in shipped_rules() if "." not in name])
def test_every_recipe_begins_a_file(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "init", "--recipe", name, "--out", "my.rules")[0] == 0
    text = (tmp_path / "my.rules").read_text()
    assert f"Begun with grouper's `{name}`" in text
    assert "#     grouper check MODEL my.rules" in text
    assert run(capsys, "fmt", "--check", "my.rules")[0] == 0
    before = run(capsys, "check", name)[1].splitlines()[-1]
    if not name.startswith("mup"):  # whose base model is a file of the user's
        assert run(capsys, "check", "my.rules")[1].splitlines()[-1] == before


def test_a_recipe_takes_values_and_is_checked(capsys):
    arguments = ["init", MODEL, "--key", "model", "--recipe", "yolov5", "--set", "base=2*0.01"]
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    assert re.search(r"^let base += 2 \* 0.01 +# lr0$", out, re.M)
    status, out, err = run(capsys, "init", MODEL, "--key", "model", "--recipe", "bert-layer-decay")
    assert status == 1
    assert "*embeddings*" in out
    assert "GR105" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a model"),
        (["--recipe", "yolo5"], "did you mean `yolov5`?"),
        (["--recipe", "nothing at all"], "`grouper rules` lists them"),
        (["--recipe", "yolov5", "--set", "bsae=1"], "did you mean `base`?"),
        (["--recipe", "yolov5", "--set", "base"], "is not of the form `name=value`"),
        (["--recipe", "yolov5", "--set", "base=*"], "`*`"),
        (["--recipe", "yolov5", "--from", "a.pt"], "give one of them"),
        (["a.pt", "--set", "base=1"], "--set needs --recipe"),
        (["no.such.pt"], "there is no model file"),
        (["--from", "no.such.pt"], "there is no checkpoint"),
        (["--from", "README.md"], "`README.md`"),
    ],
)
def test_what_cannot_run_says_why(arguments, words, capsys):
    status, out, err = run(capsys, "init", *arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert words in err
