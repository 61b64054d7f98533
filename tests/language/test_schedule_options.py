"""Options of a schedule outside of its parentheses: nobody reads them there, and that is said."""

import pytest
from support.builders import small_yolo

import grouper
from grouper.api.check import check_rules
from grouper.checks.verified_edits import apply

SGD = "optimizer SGD lr=0.1\n"


def found(text):
    return grouper.check(small_yolo(), grouper.parse(text)).findings


def rules_alone(text):
    return check_rules(grouper.parse(text)).findings


def findings(text):
    return [(f.code.id, f.span.text, f.help) for f in found(text)]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("schedule=polynomial power=2", "schedule=polynomial(power=2)"),
        (
            "scale=10 schedule=inverse_sqrt every=step",
            "schedule=inverse_sqrt(scale=10, every=step)",
        ),
        ("schedule=step(size=3) gamma=0.5", "schedule=step(size=3, gamma=0.5)"),
        ("schedule=wsd decay=0.2 shape=sqrt", "schedule=wsd(decay=0.2, shape=sqrt)"),
        ("schedule=cosine after=warmup final=0", "schedule=cosine(after=warmup) final=0"),
    ],
)
@pytest.mark.parametrize(
    "form", [SGD + "* -> all {}", "* -> all lr=1 {}", "let s = 1\n* -> lr=s {}"]
)
def test_in_a_rule(form, wrong, right):
    if "lr=2" in wrong and "lr=" in form.partition("->")[2]:
        return
    (finding,) = found(form.format(wrong))
    assert finding.code.id == "GR029"
    mended = apply(form.format(wrong), finding.edits)
    assert " ".join(mended.split()) == " ".join(form.format(right).split())
    assert not found(mended)


def test_by_a_variable_and_in_the_optimizer_statement():
    (finding,) = found("let s = step\n* -> all lr=1 size=3 schedule=s")
    assert (finding.code.id, finding.span.text) == ("GR029", "size")
    (finding,) = rules_alone("optimizer SGD lr=1 schedule=step size=3\n* -> all")
    assert (finding.code.id, finding.span.text) == ("GR029", "size")
    text = "optimizer a.b:C lr=1 schedule=wsd decay=0.1\n* -> all"
    assert not rules_alone(text)  # its constructor may take it


def test_beside_no_schedule_of_the_rule():
    ((code, place, help),) = findings(f"{SGD}schedule exponential gamma=0.9\n* -> all gamma=0.5")
    assert (code, place) == ("GR201", "gamma")
    assert "`schedule=exponential(gamma=...)`" in help
    ((code, _, help),) = findings(f"{SGD}schedule wsd decay=0.3\n* -> all decay=0.5")
    assert code == "GR201"
    assert "`schedule=wsd(decay=...)`" in help
    ((_, _, help),) = findings(f"{SGD}* -> all decay=0.5")
    assert "`weight_decay=`" in help
    ((code, _, help),) = findings("* -> all lr=1 milestones=(3, 4)")
    assert (code, "`schedule=step(milestones=...)`" in help) == ("GR030", True)


def test_the_files_schedule_with_the_rules_option_is_offered():
    text = f"{SGD}schedule step size=3 gamma=0.1 every=step\n* -> all gamma=0.5"
    (finding,) = found(text)
    assert [edit.replacement for edit in finding.edits] == ["schedule=step(size=3, gamma=0.5)"]


def test_a_tag_is_the_files_own():
    assert not findings(f"{SGD}tag power\n* -> all power=2 schedule=polynomial")
