"""Weights and biases of one layer at different rates, in words that can be pasted in."""

import pytest
from support.builders import inventory

import grouper

MODEL = inventory("a.weight", "a.bias", "b.weight", "b.bias", "c.weight")
BODY = "optimizer SGD lr=0.01\n{} -> head lr=0.1 / 3\nelse -> body"


@pytest.mark.parametrize(
    ("selector", "better", "verb"),
    [
        ("a.weight", "a.*", "1 tensor of the same layer trains at 0.01"),
        ('"a.weight"', "a.*", "1 tensor of the same layer trains at 0.01"),
        ("a.weight or b.weight", "a.* or b.*", "2 tensors of the same layer train at 0.01"),
        ("(a.weight or b.weight) and ndim == 2", "(a.* or b.*) and ndim == 2", "2 tensors"),
    ],
)
def test_the_help_is_the_selector_to_write(selector, better, verb):
    finding = next(
        f
        for f in grouper.check(MODEL, grouper.parse(BODY.format(selector))).findings
        if f.code.id == "GR313"
    )
    assert finding.help == f"select the whole layer: `{better}`"
    assert f"`a.weight` trains at 0.0333, but {verb}" in finding.message


def test_frozen_ones():
    text = "optimizer SGD lr=0.01\na.weight -> freeze\nelse -> body"
    (finding,) = grouper.check(MODEL, grouper.parse(text)).findings
    assert "`a.weight` is frozen, but 1 tensor of the same layer trains at" in finding.message
