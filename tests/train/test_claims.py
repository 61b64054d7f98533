"""`expect lr(head) ...`: claims about a plan are held to at every step, when a plan is made."""

import pytest
from support.builders import inventory, parameter

import grouper
from grouper.api.plan import plan_of
from grouper.checks.expectation import of_plan

MODEL = inventory(parameter("head.w", (4, 4)), parameter("body.w", (4, 4)), parameter("body.b"))
RULES = "optimizer SGD lr=0.01\nhead.* -> head\nbody.* -> body lr*=0.1\n"
WARM = "warmup steps=10\nschedule linear every=step\nbody.b -> warmup_start=0.5\n"


def failures(text, steps=50, epochs=2):
    report = grouper.check(MODEL, grouper.parse(RULES + text))
    assert report.ok, [f.message for f in report.findings]
    notes = [f.span.text for f in report.findings if f.code.id == "GR212"]
    assert notes == [expect.span.text for expect in report.rules.expects if of_plan(expect)]
    plan = plan_of(report, report.grouping, steps, epochs)
    return [finding.message for finding in plan.findings]


@pytest.mark.parametrize(
    "claim",
    [
        "lr(head) <= 0.01",
        "lr(head) / lr(body) == 10",
        "lr(head) / lr(body) in 5..10",
        "lr(body) < head.lr",
        "momentum(head) == 0.9",
        "max(lr(head), 1) == 1",
        "lr(head) * count(body) <= 0.02",
    ],
)
def test_claims_that_hold(claim):
    assert failures(f"* -> momentum=0.9\nexpect {claim}") == []


def test_the_first_failing_step_and_how_many_there_are():
    (message,) = failures("schedule linear every=step\nexpect lr(head) > 0.005")
    assert message == (
        "a claim about the plan does not hold: at step 50, `lr(head)` is 0.005, the value is 0.005,"
        " and at 49 more steps"
    )


def test_every_group_of_a_label_must_hold():
    (message,) = failures(f"{WARM}expect lr(body) <= 0.001")
    assert "at step 0, `lr(body)` is 0.5" in message
    assert "and at 9 more steps" in message


def test_after_the_warmup_of_all_labels():
    assert failures(f"{WARM}expect lr(head) / lr(body) == 10 after warmup") == []
    (message,) = failures(f"{WARM}expect lr(head) / lr(body) == 10")
    assert "at step 0" in message


def test_inside_the_window():
    window = "body.* -> from_step=20 until_step=30\n"
    assert failures(f"{window}expect lr(head) / lr(body) == 10 after warmup") == []
    (message,) = failures(f"{window}expect lr(head) / lr(body) == 10")
    assert message.startswith("a claim about the plan does not hold: at step 0, `lr(head)` is 0.01")
    assert "division by zero" in message or "divide" in message


def test_no_step_is_left():
    (message,) = failures("warmup steps=10\nexpect lr(head) > 0 after warmup", steps=5)[1:]
    reason = "no step of the run is after warm-up and inside the windows"
    assert message == f"a claim about the plan does not hold: {reason}"


def test_what_the_plan_does_not_have():
    (message,) = failures("expect eps(head) > 0")
    assert message.endswith("the plan has no `eps` of the group `head`")


def test_of_what_is_frozen_nothing_is_claimed():
    assert failures("head.* -> freeze\nallow GR115\nexpect lr(head) > 5") == []


def test_a_plan_is_refused():
    rules = grouper.parse(RULES + "expect lr(head) > 1")
    (note,) = grouper.check(MODEL, rules).findings
    assert (note.code.id, note.severity.value) == ("GR212", "note")
    with pytest.raises(grouper.GroupingError, match="a claim about the plan does not hold"):
        grouper.plan(MODEL, rules, steps_per_epoch=5, epochs=2)


def test_the_file_may_accept_it():
    text = "allow GR111\nexpect lr(head) > 1"
    assert failures(text) == []
    left = grouper.check(MODEL, grouper.parse(f"{RULES}{text}\nallow GR212")).findings
    assert not left
