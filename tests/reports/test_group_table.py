"""The table of groups: what stands once, what has a column, and which groups are one row."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import inventory, parameter, small_yolo
from support.commands import run

import grouper
from grouper.options.values import rounded_text
from grouper.reports.families import Entry, rows
from grouper.reports.groups import groups_lines
from grouper.reports.lines import styled, wrapped
from grouper.reports.output import Output
from grouper.text.printable import width

LAYERS = 12


def report(text, model=None):
    return grouper.check(model or small_yolo(), grouper.parse(text, "my.rules"))


def shown(text, model=None, **output):
    return Output(**output).text(groups_lines(report(text, model), Output(**output)))


def layers(*extra):
    names = [f"layers.{i}.{word}" for i in range(LAYERS) for word in ("weight", "bias")]
    return inventory(*names, *extra)


DECAY = """optimizer AdamW lr=1e-3 betas=(0.9, 0.95)
layers.{i}.* -> layer{i} lr*=0.9 ** (count(i) - rank(i))
else -> rest weight_decay=0.1"""


def test_what_all_groups_have_stands_once():
    text = shown(DECAY, layers("head"))
    assert text.count("betas") == 1
    assert text.splitlines()[0] == "  AdamW lr=0.001 betas=(0.9, 0.95)"


def test_layers_are_one_row_from_the_first_to_the_last():
    (row,) = [line for line in shown(DECAY, layers("head")).splitlines() if "layer" in line]
    cells = re.split(" {2,}", row.strip())
    assert cells == ["layer{0..11}", "12", "24", "288", "0.000282 .. 0.0009", "×0.282 .. 0.9", "-"]
    assert shown(DECAY, layers("head"), verbose=True).count("  layer") == LAYERS


def test_a_rate_out_of_line_is_not_hidden():
    odd = shown(f"{DECAY}\noverride layers.5.* -> odd lr=1", layers("head"))
    assert "  layer{{0..4},{6..11}} " in odd
    assert "  layer5/odd " in odd
    bent = shown(DECAY.replace("count(i) - rank(i)", "(i - 5) ** 2"), layers("head"))
    assert bent.count("  layer") == LAYERS


def test_numbers_are_rounded_for_reading_and_exact_on_request():
    rules = "optimizer SGD lr=0.1\n*.bias -> a lr*=1/3; else -> b lr=0.010000000000000002"
    assert re.search(r"^  a .* 0\.0333  ×0\.333$", shown(rules), re.MULTILINE)
    assert re.search(r"^  b .* 0\.01$", shown(rules), re.MULTILINE)
    assert "0.010000000000000002" in shown(rules, verbose=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [(4.223513603210449e-05, "4.22e-05"), (0.12345, "0.12345"), (0.3 - 0.1, "0.2"), (0, "0")]
    + [((0.9, 1 / 3), "(0.9, 0.333)"), (True, "true"), (None, "none"), (float("inf"), "inf")],
)
def test_rounding(value, text):
    assert rounded_text(value) == text


def test_factors_of_several_rules_are_one_and_those_of_unfreeze_none():
    rules = "optimizer SGD lr=0.1\n* -> a lr*=0.5\n*.bias -> b lr*=0.5\nmodel.0.* -> freeze"
    assert "0.025  ×0.25" in shown(rules)
    thawed = report(rules).unfreeze("a", lr=1.0)
    lines = [line.plain for line in groups_lines(thawed, Output())]
    assert any(line.endswith("1.0") for line in lines)


def test_who_froze_what():
    model = inventory(parameter("a.w"), parameter("b.w"), parameter("c.w", trainable=False))
    lines = shown("a.w -> freeze\nb.w -> train lr=1\nc.w -> x", model).splitlines()
    assert lines[-4:] == [
        "  frozen by `a.w -> freeze` (my.rules:1): 1 tensor, 12 parameters",
        "      a.w",
        "  frozen by the model: 1 tensor, 12 parameters",
        "      c.w",
    ]


def test_what_is_in_no_group_is_said():
    assert "  in no group: 4 tensors" in shown("model.24.m.0.bias -> bias lr=1")


def test_several_optimizers():
    rules = """optimizer AdamW lr=1e-3 weight_decay=0.1
optimizer Muon as hidden lr=0.02 weight_decay=0.1
ndim == 2 -> matrices optimizer=hidden; else -> rest"""
    lines = shown(rules, inventory("a.w", parameter("a.b", (3,)))).splitlines()
    assert "  AdamW lr=0.001 weight_decay=0.1" in lines
    assert "  Muon as hidden lr=0.02 weight_decay=0.1" in lines
    assert any(re.fullmatch(r"  matrices +1 +12 +0\.02 +hidden", line) for line in lines)


NAMES = st.from_regex(r"[ab]{0,2}[0-9]{0,2}(/[0-9])?(#[0-9])?", fullmatch=True).filter(bool)
VALUES = st.sampled_from([0.1, 0.2, 1, True, "word", None, (1, 2)])
ENTRIES = st.dictionaries(NAMES, st.dictionaries(st.sampled_from(["lr", "w"]), VALUES), max_size=9)


@given(ENTRIES)
def test_rows_stand_for_all_groups(options):
    entries = [Entry(name, ["t"], 3, values) for name, values in options.items()]
    for exact in (False, True):
        found = rows(entries, exact)
        assert sum(row.groups for row in found) == len(entries)
        assert sum(row.tensors for row in found) == len(entries)
        for row in found:  # what a row says of all is said by each
            if row.groups == 1:
                continue
            family = [e for e in entries if set(e.options) == set(row.cells)]
            assert row.groups >= 3
            assert len(family) >= row.groups
    assert [row.name for row in rows(entries, exact=True)] == list(options)


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 140])
@pytest.mark.parametrize("rules", [DECAY, "layers.* -> a lr=1; else -> b weight_decay=0.1"])
def test_no_line_of_a_terminal_is_longer_than_it(rules, columns):
    output = {"terminal": True, "color": "never", "width": columns}
    for line in shown(rules, layers("head"), **output).splitlines():
        assert width(line) <= max(columns, 40)  # the counts are always there


def test_options_without_room_stand_below_their_row():
    rules = "optimizer SGD lr=1\n*.bias -> b momentum=0.5 weight_decay=0.25; else -> c"
    narrow = shown(rules, terminal=True, color="never", width=40)
    assert "      momentum=0.5 weight_decay=0.25\n" in narrow


@given(st.lists(st.text(st.sampled_from("ab `"), max_size=9), max_size=9), st.integers(5, 30))
def test_broken_lines_have_the_same_words(words, columns):
    line = styled(*((word, "bold" if i % 2 else "") for i, word in enumerate(words)))
    broken = list(wrapped(line, columns, 2))
    assert " ".join(each.plain for each in broken).split() == line.plain.split()


TERMINALS = {
    "check_80": (80, ["check", "examples/yolov5s.pt", "first.rules", "--key", "model"]),
    "check_140": (140, ["check", "examples/yolov5s.pt", "first.rules", "--key", "model"]),
    "check_verbose": (80, ["check", "examples/yolov5s.pt", "first.rules", "-v", "--key", "model"]),
    "check_frozen": (80, ["check", "examples/yolov5s.pt", "frozen.rules", "--key", "model"]),
}
FIRST = "optimizer SGD lr=0.1\nmodel.24.* -> head lr*=0.1; *.bias -> bias warmup_start=0.1\n"
FROZEN = "optimizer SGD lr=0.1\nmodel.{i}.* and ndim > 1 -> layer{i} lr*=0.9 ** i; else -> freeze\n"


@pytest.mark.parametrize("name", TERMINALS)
def test_what_a_terminal_shows(name, tmp_path, monkeypatch, capsys, golden):
    columns, arguments = TERMINALS[name]
    (tmp_path / "examples").symlink_to(os.path.abspath("examples"))
    (tmp_path / "first.rules").write_text(FIRST)
    (tmp_path / "frozen.rules").write_text(FROZEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, out, _ = run(capsys, *arguments)
    golden(f"reports/{name}.txt", out)
    assert all(width(line) <= columns for line in out.splitlines())


def test_a_pipe_gets_every_name_on_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "first.rules").write_text(FIRST)
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = run(capsys, "check", "examples/yolov5s.pt", str(tmp_path / "first.rules"))
    (names,) = [line for line in out.splitlines() if "parameters: " in line and "{0,1," in line]
    assert "..." not in names
    assert names.endswith("model.9.{cv1,cv2}.{conv,bn}.weight")
    assert all(line == line.rstrip() for line in out.splitlines())


def test_an_ascii_terminal_gets_ascii():
    text = shown("optimizer SGD lr=1\n* -> a lr*=0.5", encoding="ascii", color="never")
    assert "x0.5" in text
    assert text.isascii()
