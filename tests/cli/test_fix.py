"""`check --fix` and `check --diff`: the safe edits, shown or applied."""

from pathlib import Path

import pytest
from support import commands

MISTAKES = Path(__file__).parents[1] / "checks" / "mistakes"


def run(capsys, *arguments):
    return commands.run(capsys, "check", *map(str, arguments))


def case(name, tmp_path):
    rules = tmp_path / "mine.rules"
    rules.write_bytes((MISTAKES / name / "wrong.rules").read_bytes())
    return MISTAKES / name / "model.json", rules


@pytest.mark.parametrize("name", ["l23-decay-the-wrong-way-round", "l33-lr-mult-does-nothing"])
def test_a_fix_leaves_nothing_to_say(name, tmp_path, capsys):
    model, rules = case(name, tmp_path)
    before = rules.read_text()
    status, out, _ = run(capsys, model, rules, "--diff")
    assert rules.read_text() == before
    assert "+++" in out
    status, out, _ = run(capsys, model, rules, "--fix")
    assert status == 0
    assert rules.read_text() != before
    assert "warning" not in out
    assert "error" not in out
    after = rules.read_text()
    assert run(capsys, model, rules, "--fix")[0] == 0
    assert rules.read_text() == after
    assert run(capsys, model, rules, "--diff")[1] == ""


def test_ends_of_lines_stay(tmp_path, capsys):
    model, rules = case("l23-decay-the-wrong-way-round", tmp_path)
    rules.write_bytes(rules.read_bytes().replace(b"\n", b"\r\n"))
    assert run(capsys, model, rules, "--fix")[0] == 0
    content = rules.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")


def test_what_nobody_knows_is_not_fixed(tmp_path, capsys):
    model, rules = case("l39-unet-without-its-prefix", tmp_path)
    before = rules.read_bytes()
    run(capsys, model, rules, "--fix")
    assert rules.read_bytes() == before


def test_included_files_are_left_alone(tmp_path, capsys):
    model, inner = case("l33-lr-mult-does-nothing", tmp_path)
    inner = inner.rename(tmp_path / "inner.rules")
    before = inner.read_bytes()
    outer = tmp_path / "outer.rules"
    outer.write_text('include "inner.rules"\n')
    assert run(capsys, model, outer, "--fix")[0] == 1
    assert inner.read_bytes() == before
