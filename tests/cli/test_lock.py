"""`grouper lock` and `check --locked`: a change of groups is seen, and said in words."""

import json
import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import inventory
from support.commands import run
from support.pages import ROOT

import grouper
from grouper.group.lock import locked_model
from grouper.group.lock_changes import changed
from grouper.group.lock_text import LockError, lock_text, read_lock
from grouper.model.formats import snapshot
from grouper.text.source import Source

RULES = """\
optimizer SGD lr=0.1 momentum=0.9
warmup epochs=3
schedule cosine

head.* -> head
else   -> body lr*=0.1
"""
NAMES = ("stem.weight", "layers.0.weight", "layers.1.weight", "layers.2.weight", "head.weight")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Rules that name their model, and the model."""
    monkeypatch.chdir(tmp_path)
    save(NAMES)
    (tmp_path / "a.rules").write_text(f'for "model.json"\n{RULES}')
    return tmp_path


def save(names):
    with open("model.json", "w") as file:
        file.write(snapshot.dumps(inventory(*names)))


def locked(capsys, *arguments):
    status, out, err = run(capsys, "check", "--locked", *(arguments or ["a.rules"]))
    assert err == ""
    return status, out


def test_a_lock_as_people_read_it(project, capsys, golden):
    assert run(capsys, "lock", "a.rules") == (0, "wrote a.rules.lock\n", "")
    golden("cli/lock.txt", (project / "a.rules.lock").read_text())
    assert locked(capsys)[0] == 0
    run(capsys, "lock", "a.rules", "-q")
    assert locked(capsys)[0] == 0


def test_a_change_as_people_read_it(project, capsys, golden):
    run(capsys, "lock", "a.rules")
    text = RULES.replace("lr*=0.1", "lr*=0.2").replace("cosine", "linear final=0.1")
    (project / "a.rules").write_text(f'for "model.json"\n{text}')
    save((*NAMES, "layers.3.weight", "head.bias"))
    status, out = locked(capsys)
    assert status == 1
    golden("cli/check_locked.txt", out)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("lr=0.1", "lr=0.2"), ["`head` has `lr` 0.2, and had 0.1"]),
        (("head.* -> head", "head.* -> top"), ["is in `top`, and was in `head`"]),
        (("head.*", "{head,stem}.*"), ["`stem.weight`, is in `head`, and was in `body`"]),
        (("-> body lr*=0.1", "-> freeze"), ["are frozen, and were in `body`"]),
        (("epochs=3", "epochs=4"), ["no more: `warmup epochs=3", "new: `warmup epochs=4"]),
        (("SGD lr=0.1 momentum=0.9", "AdamW lr=0.1"), ["has no `momentum`", "`optimizer` AdamW"]),
        (("-> head", "-> head warmup_start=0.5"), ["has `warmup_start` 0.5, and had none"]),
    ],
)
def test_changes_of_rules_are_said(change, words, project, capsys):
    run(capsys, "lock", "a.rules")
    (project / "a.rules").write_text(f'for "model.json"\n{RULES.replace(*change)}')
    status, out = locked(capsys)
    assert status == 1
    assert "error[GR503] lock-changed" in out
    flat = " ".join(out.split())
    assert all(word in flat for word in words), out


def test_what_changes_no_group_is_no_change(project, capsys):
    run(capsys, "lock", "a.rules")
    text = RULES.replace("lr*=0.1", "lr*=1/10").replace("head.*", "head.weight")
    (project / "a.rules").write_text(f'# a comment\nfor "model.json"\n{text}')
    assert locked(capsys)[0] == 0


def test_changes_of_the_model_are_said(project, capsys):
    run(capsys, "lock", "a.rules")
    save(NAMES[:-2] + NAMES[-1:])
    status, out = locked(capsys)
    assert status == 1
    assert "the model has 4 tensors, and had 5" in out
    assert "`layers.2.weight`, is not in the model, and was in `body`" in " ".join(out.split())
    save((NAMES[1], NAMES[0], *NAMES[2:]))
    assert "other names, shapes or another order" in locked(capsys)[1]


def test_several_files_and_models(project, capsys):
    """Each file has its lock, with a part for each model that the file is for."""
    with open("other.json", "w") as file:
        file.write(snapshot.dumps(inventory("head.weight", "body.weight")))
    (project / "b.rules").write_text(f'for "model.json"\nfor "other.json"\n{RULES}')
    status, out, _ = run(capsys, "lock", "a.rules", "b.rules")
    assert (status, out) == (0, "wrote a.rules.lock\nwrote b.rules.lock\n")
    assert (project / "b.rules.lock").read_text().count("model ") == 2
    assert locked(capsys, "a.rules", "b.rules")[0] == 0
    with open("other.json", "w") as file:
        file.write(snapshot.dumps(inventory("head.weight", "body.bias")))
    status, out, _ = run(capsys, "check", "--locked", "a.rules", "b.rules", "--format", "json")
    assert status == 1
    reports = [json.loads(line) for line in out.splitlines()]
    assert [report["ok"] for report in reports] == [True, True, False]
    assert reports[2]["findings"][0]["parameters"] == ["body.weight", "body.bias"]


def test_a_lock_is_the_same_from_every_folder(project, capsys, monkeypatch):
    run(capsys, "lock", "a.rules")
    before = (project / "a.rules.lock").read_text()
    os.mkdir("inside")
    monkeypatch.chdir("inside")
    assert locked(capsys, "../a.rules")[0] == 0
    run(capsys, "lock", "../a.rules")
    assert (project / "a.rules.lock").read_text().splitlines()[1:] == before.splitlines()[1:]


def test_a_missing_or_broken_lock_is_a_finding(project, capsys):
    status, out = locked(capsys)
    assert status == 1
    assert "there is no lock `a.rules.lock`" in out
    run(capsys, "lock", "a.rules")
    text = (project / "a.rules.lock").read_text()
    for broken in (text.replace("0.1", "0.2", 1), text[:-20], "", "<<<<<<< HEAD\n" + text, "\0"):
        (project / "a.rules.lock").write_text(broken)
        status, out = locked(capsys)
        assert (status == 1) == (broken[:1] != "<"), broken
    assert run(capsys, "check", "--locked", "a.rules", "--ignore", "GR503")[0] == 0


def test_rules_with_errors_are_not_locked(project, capsys):
    (project / "a.rules").write_text('for "model.json"\nhead.* -> head lr=1\n')
    status, out, _ = run(capsys, "lock", "a.rules")
    assert status == 1
    assert "GR101" in out
    assert not (project / "a.rules.lock").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lock", "gpt"], "a lock needs a model, and `gpt` has none"),
        (["check", "--locked", "gpt"], "a lock needs a model, and `gpt` has none"),
        (["lock", "model.json", "-"], "rules from a pipe cannot have a lock"),
        (["lock", "no.such.pt", "a.rules"], "there is no model file"),
    ],
)
def test_what_cannot_run_says_why(arguments, words, project, capsys, monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(RULES.encode())))
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert words in err


PART = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)
WORD = st.one_of(
    st.sampled_from(("layers", "0", "1", "2", "10", "weight", "a b", " = ", "{0..3}", "x,y")), PART
)


@given(st.lists(st.lists(WORD, min_size=1, max_size=4).map(".".join), min_size=1, unique=True))
def test_a_lock_reads_back_as_it_was(names):
    rules = grouper.parse("optimizer SGD lr=0.5\n*1* -> a lr=1/3\nelse -> b")
    model = inventory(*names)
    grouping = grouper.check(model, rules).grouping
    known = locked_model("model\n.pt", model, rules, grouping)
    (read,) = read_lock(Source(lock_text("my.rules", [known])))
    assert changed("my.rules.lock", read, known, "help") is None
    assert [set(g.parameters) for g in read.groups] == [set(g.parameters) for g in known.groups]


@pytest.mark.parametrize("rules", ["yolov5", "yolov5-adamw", "yolo-finetune"])
def test_a_real_model_is_as_it_was_locked(rules, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = str(ROOT / "examples" / "yolov5s.pt")
    assert run(capsys, "lock", model, rules)[0] == 0
    assert run(capsys, "check", "--locked", model, rules)[0] == 0, capsys.readouterr()


@given(st.binary(max_size=80), st.integers(0, 400))
def test_a_damaged_lock_is_an_error_of_its_own(damage, place):
    rules = grouper.parse("* -> all lr=1")
    model = inventory(*NAMES)
    known = locked_model("m", model, rules, grouper.check(model, rules).grouping)
    text = lock_text("my.rules", [known])
    damaged = text[:place] + damage.decode("utf-8", "replace") + text[place + 3 :]
    with suppress(LockError):
        (read,) = read_lock(Source(damaged))
        assert changed("my.rules.lock", read, known, "help") is None
