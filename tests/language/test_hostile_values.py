"""Values that are no numbers, and names and files that are none: findings and sentences."""

import os

import pytest

import grouper
from grouper.model.inventory import Inventory, Parameter

NAMES = ("0.weight", "0.bias")
MODEL = Inventory(tuple(Parameter((n,), (4, 4), "float32", True, n) for n in NAMES))

INFINITE = [
    "* -> a lr=1e400",
    "* -> a lr=-1e400",
    "* -> a lr=1 betas=(1e400, 0.9)",
    "let x=1e400\n* -> a lr=x",
    "let x=1e308*10\n* -> a lr=x",
    "let x=2**9**9\n* -> a lr=x",
    "optimizer SGD lr=1e400\n* -> a",
    "warmup epochs=1e400\n* -> a lr=1",
    "warmup steps=1e400\n* -> a lr=1",
    "schedule linear final=1e400\n* -> a lr=1",
    "* -> a lr=1 warmup_start=1e400",
    "* -> a lr=1\n0.* -> lr*=1e400",
]


@pytest.mark.parametrize("text", INFINITE)
def test_an_infinite_number_is_a_finding_of_its_own(text):
    rules = grouper.parse(text)
    assert "GR026" in [finding.code.id for finding in rules.findings]
    assert "GR023" not in [finding.code.id for finding in rules.findings]
    assert not grouper.check(MODEL, rules).ok
    assert "inf" not in str(rules)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 10**400, (1, 1e999)])
def test_an_infinite_variable_is_a_finding(value):
    rules = grouper.parse("let base=1\n* -> a lr=base", base=value)
    (finding,) = rules.findings
    assert finding.code.id == "GR026"
    assert "by the caller, which is not a finite number" in finding.message
    assert len(finding.message) < 200
    assert "base" not in rules.variables


@pytest.mark.parametrize("value", ['"x"', "none", "true", "(1, 2)"])
@pytest.mark.parametrize("head", ["0.* -> lr*=", "let x="])
def test_a_factor_that_is_no_number_is_found_without_a_model(head, value):
    tail = "\n0.* -> lr*=x" if head == "let x=" else ""
    rules = grouper.parse(f"{head}{value}{tail}\n* -> a lr=1")
    messages = [finding.message for finding in rules.findings]
    shown = value.strip('"')
    assert messages == [f"`lr` can be multiplied by a number only, not by `{shown}`"]


@pytest.mark.parametrize("text", ['whatever "file"', 'includ "x.rules"', '* -> a lr=1 "x"'])
def test_a_closed_string_is_not_called_open(text):
    (finding,) = grouper.parse(f"{text}\n* -> a lr=1").findings
    assert "never closed" not in finding.message
    assert finding.code.id in ("GR011", "GR001")


def test_an_open_string_still_is():
    (finding,) = grouper.parse('include "x.rules\n* -> a lr=1').findings
    assert finding.message == "this string is never closed"


def test_an_include_of_a_name_that_no_file_can_have():
    (finding,) = grouper.parse(f'include "{"a" * 5000}.rules"\n* -> a lr=1').findings
    assert finding.code.id == "GR020"
    assert len(finding.message) < 200
    assert finding.span.line == 1


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", ""])
def test_a_name_that_no_file_can_have(name):
    with pytest.raises(FileNotFoundError) as caught:
        grouper.load(name)
    assert len(str(caught.value)) < 200


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "rules"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, os.devnull):
        with pytest.raises(OSError, match=r"is not a regular file.*`grouper\.parse\(text\)`"):
            grouper.load(path)


def test_variables_may_be_called_like_arguments():
    text = "let rules=1\nlet text=1\nlet path=1\n* -> a lr=rules*text*path"
    rules = grouper.parse(text, rules=2, text=3, path=5)
    assert not rules.findings
    assert rules.variables == {"rules": 2, "text": 3, "path": 5}


def test_a_file_is_loaded_with_a_variable_called_rules(tmp_path):
    path = tmp_path / "own.rules"
    path.write_text("let rules=1\n* -> a lr=rules")
    assert grouper.load(path, rules=3).variables == {"rules": 3}
