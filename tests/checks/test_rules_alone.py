"""What is found of rules alone: true of every model, and with a name that shows it."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.builders import inventory, models, parameter

import grouper
from grouper.api.check import check_rules
from grouper.reports.finding_text import finding_lines
from grouper.text.findings import Severity

OF_NAMES = ("GR114", "GR121", "GR122")
CASES = {
    "else_leaves_nothing": (
        "*.weight -> a\nmodel.* -> b weight_decay=0\nelse model.*.bias -> c",
        "model.*.bias -> c\nelse *.weight -> a\nelse model.* -> b weight_decay=0",
        "GR114",
    ),
    "else_leaves_nothing_together": (
        "split part { a.* -> a; not a.* -> rest; else *.bias -> bias }",
        "split part { *.bias -> bias; else a.* -> a; else -> rest }",
        "GR114",
    ),
    "rules_always_disagree": (
        "* -> all lr=0.01\n*.bias -> bias lr=0.02",
        "* -> all lr=0.01\noverride *.bias -> bias lr=0.02",
        "GR121",
    ),
    "rules_may_disagree": (
        "let base = 0.01\nmodel.24.* -> head lr=base\n*.bias -> bias lr=2*base",
        "let base = 0.01\nmodel.24.* -> head lr=base\n*.bias -> bias lr*=2\noptimizer SGD lr=1",
        "GR121",
    ),
    "matches_no_name": (
        "/^encoder$\\.x/ -> encoder\nelse -> rest",
        "/^encoder\\.x/ -> encoder\nelse -> rest",
        "GR122",
    ),
    "matches_no_single_name": (
        "encoder.* and decoder.* -> towers\nelse -> rest",
        "tied and encoder.* and decoder.* -> towers\nelse -> rest",
        "GR122",
    ),
}


def found(text):
    findings = check_rules(grouper.parse(text)).findings
    return [finding for finding in findings if finding.code.id in OF_NAMES]


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of_rules_alone(name, golden):
    faulty, corrected, code = CASES[name]
    findings = [f for f in check_rules(grouper.parse(faulty, f"{name}.rules")).findings
                if f.code.id in OF_NAMES]  # fmt: skip
    assert [finding.code.id for finding in findings] == [code]
    lines = [line.plain.rstrip() for f in findings for line in finding_lines(f)]
    golden(f"checks/{name}.txt", faulty + "\n\n" + "\n".join(lines) + "\n")
    assert not found(corrected)


@pytest.mark.parametrize(
    "text",
    [
        "model.24.* -> head lr=1; override *.bias -> bias lr=2",
        "*.bias -> bias lr=1; *.weight -> weight lr=2",
        "*.bias -> bias lr=1; @BatchNorm2d -> norm lr=2",  # if it has a bias
        "*.bias -> bias lr=1; optional *.bn.bias where ndim == 1 -> norm lr=2",
        "vision.* -> vision lr=1; *projector* -> projector lr=2",
        "*.bias -> freeze; model.* -> model lr=1; *.bias -> bias lr=2",
        "*.bias -> bias lr=1; model.*.bias -> body lr=1.0",
        "model.* -> a lr=1; *.bias -> b lr=fan_in; layers.{i}.* -> c lr=i",
        "model.* -> a; else optional -> b",
        "optional a.* and b.* -> x; else -> rest",
        "*.bias -> bias; optional else model.*.bias -> x; else -> rest",
        "@Conv2d -> conv; else *.weight -> weight; else -> rest",
        "a{i}.b{i}.* -> twin; else a{i}.* -> rest",
        "/(?i)bias/ -> bias lr=1; *.bias -> other lr=2",
    ],
)
def test_what_some_model_makes_sense_of_is_not_reported(text):
    assert not found(text)


def test_a_model_knows_better():
    rules = grouper.parse("* -> all lr=1\noptional a.* -> a lr=2\n*.b -> b lr=2\nallow GR121")
    report = grouper.check(inventory("x.w"), rules)
    assert not {"GR121", "GR112"} & {finding.code.id for finding in report.findings}
    assert not found("* -> all lr=1\n*.b -> b lr=2\nallow GR121")


SELECTORS = st.one_of(
    st.lists(
        st.sampled_from(["*", ".", "model", "conv", "weight", "bias", "0", "{0..9}", "{conv,bn}"]),
        min_size=1,
        max_size=4,
    ).map("".join),
    st.sampled_from(["*", "*.bias", "*.weight", "model.*", "in model", "@Conv2d", "/bias$/"]),
    st.sampled_from(["*.bias and model.*", "not *.bias", "*.bias or *.weight", "tied", '"a.b"']),
)
STARTS = st.sampled_from(["", "", "else ", "else ", "override ", "optional "])
OPTIONS = st.sampled_from(["lr=1", "lr=2", "lr*=2", "freeze", "weight_decay=0"])
RULES = st.builds(lambda s, t, o: f"{s}{t} -> {o}", STARTS, SELECTORS, OPTIONS)


HALF_FROZEN = inventory("model", parameter("model.w", trainable=False))


@settings(max_examples=150, deadline=None)
@given(st.lists(RULES, min_size=1, max_size=5), st.lists(models(), min_size=3, max_size=3))
@example(["* -> lr=1", "model.* -> lr=2"], [HALF_FROZEN])
def test_what_is_found_is_so_on_every_model(lines, some_models):
    rules = grouper.parse("\n".join(["optimizer SGD lr=0.1", *lines]))
    if any(finding.severity is Severity.ERROR for finding in rules.findings):
        return
    certain = [
        finding for finding in check_rules(rules).findings
        if finding.code.id in OF_NAMES and finding.severity is Severity.ERROR
    ]  # fmt: skip
    for model in some_models:
        report = grouper.check(model, rules)
        matched = {m.rule.span.line for a in report.assignment.parameters for m in a.matches}
        for finding in certain:
            line = finding.span.line
            if finding.code.id != "GR121":
                assert line not in matched
                continue
            lines_at_odds = {label.span.line for label in finding.labels}
            both = [a for a in report.assignment.parameters if not a.frozen
                    and lines_at_odds <= {m.rule.span.line for m in a.matches}]  # fmt: skip
            assert all("lr" in assigned.conflicts for assigned in both)
            # The narrower rule is at odds with the other wherever it gives a value at all.
            lines_elsewhere = {m.rule.span.line for a in report.assignment.parameters
                               if not a.frozen and a not in both for m in a.matches}  # fmt: skip
            assert lines_at_odds - lines_elsewhere


@settings(max_examples=150, deadline=None)
@given(st.lists(RULES, min_size=2, max_size=5))
def test_the_example_shows_what_is_found(lines):
    rules = grouper.parse("\n".join(["optimizer SGD lr=0.1", *lines]))
    if any(finding.severity is Severity.ERROR for finding in rules.findings):
        return
    for finding in check_rules(rules).findings:
        if finding.code.id != "GR121" or finding.severity is not Severity.WARNING:
            continue
        name = finding.message.split("`")[-4]
        report = grouper.check(inventory(parameter(name)), rules)
        assert "GR102" in {f.code.id for f in report.findings}


MANY = {
    "subtrees": ("layers.{k}.* -> lr={k}", "else layers.{k}.bias -> lr={k}"),
    "endings": ("*.w{k} -> lr={k}", "else *.layer.w{k} -> lr={k}"),
    "words": ("*w{k}* -> lr={k}", "else *.{k}w -> lr={k}"),
}


@pytest.mark.parametrize("kind", MANY)
def test_a_hundred_rules_are_within_the_work_for_one_file(kind):
    """What that takes in seconds is measured in benchmarks/growth.py."""
    lines = [line.replace("{k}", str(k)) for line in MANY[kind] for k in range(50)]
    rules = grouper.parse("\n".join(lines))
    findings = [f for f in check_rules(rules).findings if f.code.id in OF_NAMES]
    dead = [finding for finding in findings if finding.code.id == "GR114"]
    assert len(dead) == (0 if kind == "words" else 50)


@pytest.mark.parametrize("file", sorted(Path("rules").glob("*.rules")), ids=lambda f: f.stem)
def test_of_shipped_files_nothing_is_found(file):
    assert not [f for f in check_rules(file).findings if f.code.id in OF_NAMES]


RIGHT = sorted(Path("tests/checks/mistakes").glob("*/right.rules"))


def test_of_right_files_nothing_is_found():
    assert RIGHT
    for file in RIGHT:
        assert not [f for f in check_rules(file).findings if f.code.id in OF_NAMES], file
