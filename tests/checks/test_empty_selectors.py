"""Selectors that match nothing although their words are there: the help says what is there."""

import pytest
from support.builders import inventory, parameter

import grouper

MODEL = inventory(
    *(parameter(f"layers.{i}.{end}", shape=shape) for i in range(12) for end, shape in
      (("weight", (4, 4)), ("bias", (4,)))),
    parameter("head.weight", shape=(8, 4)),
)  # fmt: skip
CASES = {
    "layers.{i}.* where i > 99 -> x": "`i` is 0 to 11 here",
    "else layers.{i}.* where i > 99 -> x": "`i` is 0 to 11 here",
    "override layers.{i}.* where i == 3 and i == 4 -> lr=1": "`i` is 0 to 11 here",
    "layers.{i}.* where i > 99 -> freeze": "`i` is 0 to 11 here",
    "layers.{i}.* where i == count(i) -> x": "`count(i)` is 12 here",
    "layers.{i}.* where (i + 1) % 20 == 0 -> x": "`(i + 1) % 20` is 1 to 12 here",
    "* where shape[0] == 3 -> x": "`shape[0]` is 4 or 8 here",
    "ndim == 3 -> x": "`ndim` is 1 or 2 here",
    "tied -> x": "no parameter of this model is shared",
    "not * -> x": "`*` matches every parameter",
    "*.weight and *.bias -> x": "`*.weight` matches 13 tensors, `*.bias` matches 12 tensors",
}


@pytest.mark.parametrize("rule", CASES)
def test_the_help_says_what_is_there(rule):
    report = grouper.check(MODEL, grouper.parse(f"optimizer SGD lr=1\n{rule}\nelse -> rest"))
    (finding,) = [f for f in report.findings if f.code.id == "GR105"]
    assert finding.span.line == 2
    assert CASES[rule] in finding.help
    assert "`optional`" in finding.help


def test_a_condition_that_holds_for_what_others_take_is_never_reached():
    text = "else *.weight -> w\nelse layers.{i}.* and *.weight where i > 3 -> x\nelse -> rest"
    findings = grouper.check(MODEL, grouper.parse(text)).findings
    assert [f.code.id for f in findings] == ["GR114"]
    assert "(8 tensors)" in findings[0].message


def test_an_optional_condition_may_hold_for_nothing():
    text = "optional layers.{i}.* where i > 99 -> x\nelse -> rest"
    assert not grouper.check(MODEL, grouper.parse(text)).findings


def test_counting_the_layers_for_the_last_one_is_mended():
    text = "layers.{i}.* where i == count(i) -> last\nelse -> rest"
    (finding,) = grouper.check(MODEL, grouper.parse(text)).findings
    assert [edit.replacement for edit in finding.edits] == ["max"]
