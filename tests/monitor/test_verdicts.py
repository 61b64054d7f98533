"""What the monitor says of runs made by hand."""

import pytest

from grouper.monitor.record import GroupFacts, Measurement, Record, Run
from grouper.monitor.verdicts import verdicts

FACTS = {"head": GroupFacts(1, 10, "a.rules:3:7"), "body": GroupFacts(1, 10, "a.rules:4:7")}


def run(head, body=None, steps=4):
    """A run with one measurement for each group, or a list of one a step."""
    fine = {"lr": 0.1, "gradient_norm": 1.0, "update_ratio": 1e-3}
    rows = head if isinstance(head, list) else [head] * steps

    def measured(changes):
        facts = {
            "momentum": 0.9,
            "weight_norm": 1.0,
            "zero_gradients": 0.0,
            "nonfinite_gradients": 0.0,
            **fine,
            **changes,
        }
        return Measurement(**facts)

    made = [
        Record(10 * i, {"head": measured(row), "body": measured(body or {})})
        for i, row in enumerate(rows)
    ]
    return Run(FACTS, tuple(made))


def test_a_sound_run_needs_no_words():
    assert verdicts(run({})) == ()
    assert verdicts(Run({}, ())) == ()


@pytest.mark.parametrize(
    ("head", "kind", "words"),
    [
        ({"gradient_norm": None, "update_ratio": 0.0}, "dead", "no gradient reached it from step"),
        ({"gradient_norm": 0.0, "update_ratio": 0.0}, "dead", "only zero gradients"),
        ({"update_ratio": 1e-6}, "slow", "1000 times slower than the rest"),
        ({"nonfinite_gradients": 0.25}, "explodes", "25% of its gradients are not finite"),
        ({"weight_norm": float("inf")}, "explodes", "its weights are not finite"),
        ([{}, {}, {}, {"gradient_norm": 500.0}], "explodes", "500 times its median of 1"),
    ],
)
def test_what_is_wrong_is_said_with_the_rule(head, kind, words):
    (verdict,) = verdicts(run(head))
    assert (verdict.group, verdict.kind) == ("head", kind)
    assert words in verdict.message
    assert "its lr is set at a.rules:3:7" in verdict.message


def test_nothing_is_called_dead_or_slow_before_three_records():
    assert verdicts(run({"gradient_norm": 0.0}, steps=2)) == ()
    assert verdicts(run({"update_ratio": 1e-9}, steps=2)) == ()


def test_a_group_whose_lr_is_zero_is_not_slow():
    assert verdicts(run({"lr": 0.0, "update_ratio": 0.0})) == ()
