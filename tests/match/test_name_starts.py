"""What is not asked of a selector is what it has nothing to say of."""

import pytest
from support.builders import inventory, parameter, small_yolo

import grouper
from grouper.language.syntax.parser import parse_selector
from grouper.match.compile_selector import compile_selector
from grouper.match.name_starts import name_starts

SELECTORS = (
    "model.24.*", '"model.0.bn.bias"', "model.{0,24}.*", "*.bias", "/bias/", "@Conv2d",
    "in model.24", 'in "model.24"', "in @Detect", "ndim == 2", "not model.24.*", "tied",
    "trainable",
    "model.24.* and ndim >= 2", "model.24.* and *.bias", "model.0.* or model.24.*",
    "model.0.* or *.bias", "(model.0.* or model.24.m.*) and in model.24", "model.0.* and not /bn/",
    "model.0.* and shape[5] == 1", "model.0.* and numel == x", "model.0.* and (tied or model.24.*)",
    "tie.* or other.*", "tie.* and ndim == 1", "has no_decay and model.0.*",
)  # fmt: skip
SHARED = inventory(parameter(("tie.a", "other.b"), (3,)), parameter("model.0.bn.bias", (8,)))


@pytest.mark.parametrize("text", SELECTORS)
@pytest.mark.parametrize("model", [small_yolo(), SHARED], ids=["yolo", "shared"])
def test_nothing_is_left_out(text, model):
    selector = parse_selector(text)
    starts = name_starts(selector)
    test = compile_selector(selector, model, {"x": "word"})
    for one in model.parameters:
        answer = test(one)
        if answer.truth is not False or answer.problems:
            assert not starts or any(name.startswith(starts) for name in one.names)


def test_what_fails_is_reported_though_no_name_matches():
    rules = grouper.parse('let x = "word"\nnothing.* and numel == x -> a lr=1\nelse -> b lr=1')
    report = grouper.check(small_yolo(), rules)
    assert any("can never be equal" in finding.message for finding in report.findings)


def test_names_that_begin_alike_are_all_that_is_asked():
    assert name_starts(parse_selector("model.24.* and ndim == 2")) == ("model.24.",)
    assert name_starts(parse_selector("model.24.* or in model.0")) == ("model.24.", "model.0")
    assert name_starts(parse_selector("model.24.* or *.bias")) == ()
