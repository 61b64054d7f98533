"""Resolving: includes, variables, and rule sets that print themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import RULES

import grouper
from grouper.language.resolve.resolve import assignment
from grouper.language.ruleset import Optimizer, Rule, RuleSet, Schedule
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector


def codes(rules):
    return [finding.code.id for finding in rules.findings]


def test_includes_stand_where_they_are_written(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "base.rules").write_text('let base = 0.1\ninclude "more/inner.rules"\n')
    (tmp_path / "more" / "inner.rules").write_text("a.* -> a lr=base\n")
    (tmp_path / "main.rules").write_text('include "base.rules"\nelse -> rest lr=base * 2\n')
    rules = grouper.load(tmp_path / "main.rules")
    assert not rules.findings
    assert [rule.label.pieces[0].text for rule in rules.rules] == ["a", "rest"]
    assert grouper.load(tmp_path / "main.rules", base=0.5).variables == {"base": 0.5}


def test_faults_in_an_included_file_point_there(tmp_path):
    (tmp_path / "inner.rules").write_text("# fine\na => b\n")
    (tmp_path / "main.rules").write_text('include "inner.rules"\n')
    (finding,) = grouper.load(tmp_path / "main.rules").findings
    assert finding.span.source.path.endswith("inner.rules")
    assert finding.span.line == 2


def test_shipped_files_are_found_by_name():
    by_name, by_file = grouper.load("yolov5"), grouper.load("yolov5.rules")
    assert by_name == by_file
    included = grouper.parse('include "yolov5.rules"')
    assert included.rules == by_name.rules
    with pytest.raises(FileNotFoundError, match=r"did you mean `yolov5"):
        grouper.load("yolov55.rules")


def test_a_variable_of_an_included_file_is_set_by_the_caller():
    text = 'include "muon"\nlet base = 0.01\n'
    (finding,) = grouper.parse(text).findings
    assert "`--set base=...`" in finding.help
    assert grouper.parse(text.replace("let base = 0.01", ""), base=0.01).variables["base"] == 0.01


def test_the_options_of_torchs_optimizers_are_known():
    from grouper.options.misspelt import misspelt, torch_options

    assert {"lr", "betas", "ns_coefficients", "decoupled_weight_decay"} <= set(torch_options())
    assert [misspelt(key) for key in ("lr", "use_muon", "lr_scale", "layer")] == [None] * 4
    assert misspelt("weigth_decay") == "weight_decay"


def test_circles_end(tmp_path):
    (tmp_path / "a.rules").write_text('include "b.rules"\n')
    (tmp_path / "b.rules").write_text('include "a.rules"\n* -> all\n')
    rules = grouper.load(tmp_path / "a.rules")
    assert codes(rules) == ["GR021"]
    assert len(rules.rules) == 1


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "x.rules").write_bytes(b"\xff\xfe\x00a -> b")
    assert codes(grouper.load(tmp_path / "x.rules"))


def test_byte_order_mark_and_carriage_returns(tmp_path):
    (tmp_path / "x.rules").write_bytes("\ufeffa -> b\r\nc -> d lr=1\r\n".encode())
    rules = grouper.load(tmp_path / "x.rules")
    assert not rules.findings
    assert len(rules.rules) == 2


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("base=0.02", "base", 0.02),
        ("base=2 * 0.01", "base", 0.02),
        ("name=cosine", "name", "cosine"),
        ("b=(0.9, 0.95)", "b", (0.9, 0.95)),
        ("x=none", "x", None),
    ],
)
def test_settings(text, name, value):
    assert assignment(text) == (name, value)


@pytest.mark.parametrize("text", ["base", "=1", "1=2", "a b=1", "x=1/0", "x=(", "x=1 2"])
def test_bad_settings(text):
    with pytest.raises(ValueError, match="`"):
        assignment(text)


CURVED = "let curve = linear\nlet end = 0.1\nschedule curve final=end"


def test_a_variable_may_name_the_schedule():
    assert grouper.parse(CURVED).schedule == Schedule("linear", {"final": 0.1})
    cosine = grouper.parse(CURVED, curve="cosine")
    assert not cosine.findings
    assert cosine.schedule == Schedule("cosine", {"final": 0.1})
    assert grouper.parse(str(cosine)).schedule == cosine.schedule
    # A schedule's own name means that schedule, whatever variables there are.
    shadowed = grouper.parse("let cosine = linear\nschedule cosine\n* -> a lr=1 b=cosine")
    assert shadowed.schedule == Schedule("cosine")


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ("cosin", "there is no schedule `cosin`"),
        (3, "there is no schedule `3`"),
        ("step", "`schedule step` needs `size` or `milestones`"),
    ],
)
def test_a_variable_that_names_no_fitting_schedule(curve, message):
    findings = grouper.parse(CURVED, curve=curve).findings
    assert message in [finding.message for finding in findings]
    assert all(finding.span.line == 3 for finding in findings if finding.code.id != "GR109")


def test_a_schedule_of_a_faulty_variable_adds_no_fault():
    (finding,) = grouper.parse("let curve = 1 / 0\nschedule curve").findings
    assert finding.span.line == 1


@given(st.lists(RULES, max_size=4), st.lists(RULES, max_size=3), st.booleans())
def test_a_rule_set_prints_itself(top, inner, strict):
    lines = ["let base = 0.01", "optimizer SGD lr=base betas=(0.9, 0.95)", "warmup epochs=3"]
    lines += ["schedule cosine final=0.1", *top]
    if inner:
        lines += ["split kind {", *inner, "}"]
    lines += ["strict"] * strict + ["allow GR101 model.*", "expect frozen == 0"]
    rules = grouper.parse("\n".join(lines))
    if any(finding.severity.value == "error" for finding in rules.findings):
        return
    again = grouper.parse(str(rules))
    assert again == rules
    assert str(again) == str(rules)


def test_a_rule_set_built_in_python():
    lr = tree.Option("lr", "=", tree.Number(0.01))
    head = tree.Label((tree.Text("head"),))
    rules = RuleSet(
        rules=(
            Rule(parse_selector("in @Detect"), head, (lr,)),
            Rule(None, None, (lr,), otherwise=True),
        ),
        optimizers=(Optimizer("SGD", options={"momentum": 0.9}),),
        variables={},
    )
    text = "optimizer SGD momentum=0.9\nin @Detect -> head lr=0.01\nelse       ->      lr=0.01\n"
    assert str(rules) == text
    assert grouper.parse(text) == rules
    assert grouper.check("examples/yolov5s.pt", rules).ok
