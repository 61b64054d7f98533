"""What the monitor says of runs made by hand."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.monitor.record import GroupFacts, Header, Measurement, Record
from grouper.monitor.run import Run
from grouper.monitor.verdicts import verdicts
from grouper.text.findings import Severity

FACTS = {"head": GroupFacts(1, 10, "a.rules:3:7"), "body": GroupFacts(1, 10, "a.rules:4:7")}
SOUND = {
    "lr": 0.1,
    "momentum": 0.9,
    "gradient_norm": 1.0,
    "weight_norm": 1.0,
    "update_ratio": 1e-3,
    "zero_gradients": 0.0,
    "nonfinite_gradients": 0.0,
}
NAN, INF = float("nan"), float("inf")


def run(head, body=None, steps=4, skipped=(), untouched=()):
    """A run with one measurement for each group, or a list of one a step."""
    rows = head if isinstance(head, list) else [head] * steps
    made = [
        Record(
            10 * i,
            {"head": Measurement(**SOUND | row), "body": Measurement(**SOUND | (body or {}))},
            untouched,
            i in skipped,
        )
        for i, row in enumerate(rows)
    ]
    return Run(Header(FACTS), tuple(made), len(made))


def test_a_sound_run_needs_no_words():
    assert verdicts(run({})) == ()
    assert verdicts(Run(None, ())) == ()


NONE = {"gradient_norm": None, "update_ratio": 0.0}
ZERO = {"gradient_norm": 0.0, "update_ratio": 1e-6}
BAD = {"nonfinite_gradients": 0.25, "gradient_norm": NAN}
LARGE = {"gradient_norm": 500.0}


@pytest.mark.parametrize(
    ("head", "kind", "words"),
    [
        (NONE, "dead", "is dead: no gradient reached it from step 0 to step 30"),
        ([{}, *[NONE] * 4], "dead", "no gradient reached it from step 10 to step 40"),
        (ZERO, "dead", "only zero gradients reached it from step 0 to step 30"),
        ({"update_ratio": 0.0}, "dead", "its weights did not change from step 0 to step 30"),
        ({"update_ratio": None, "weight_norm": 0.0}, "dead", "its weights did not change"),
        ({"update_ratio": 1e-6}, "slow", "moves 1000 times slower than the rest"),
        (BAD, "explodes", "25% of its gradients are not finite, since step 0"),
        ([{}, {}, BAD, BAD], "explodes", "25% of its gradients are not finite, since step 20"),
        ([{}, BAD | {"nonfinite_gradients": 1e-4}], "explodes", "some of its gradients are not"),
        ({"weight_norm": INF, "update_ratio": None}, "explodes", "its weights are not finite"),
        ([{}, {"update_ratio": NAN}], "explodes", "its weights are not finite, since step 10"),
        ({"gradient_norm": INF}, "explodes", "its gradient norm overflows"),
        (
            [*[{}] * 5, *[LARGE] * 3],
            "explodes",
            "its gradient norm is 500 at step 70, 500 times its median of 1 before step 50",
        ),
        ([*[{}] * 5, *[{"weight_norm": 300.0}] * 3], "explodes", "its weight norm is 300"),
    ],
)
def test_what_is_wrong_is_said_with_the_rule(head, kind, words):
    (verdict,) = verdicts(run(head))
    assert (verdict.group, verdict.kind, verdict.rule) == ("head", kind, "a.rules:3:7")
    assert verdict.severity is (Severity.WARNING if kind == "slow" else Severity.ERROR)
    assert words in verdict.message
    assert verdict.message.endswith("; its lr of 0.1 comes from a.rules:3:7")


@pytest.mark.parametrize(
    "head",
    [
        [NONE] * 2,
        [{"update_ratio": 1e-9}] * 2,
        {"lr": 0.0, "update_ratio": 0.0},
        {"lr": 0.0, "update_ratio": 1e-9},
        [*[{}] * 5, LARGE, {}],  # one step out of line
        [*[{}] * 5, LARGE, LARGE],
        [{"weight_norm": 0.1 * i**3} for i in range(12)],  # from zero on, as a bias
        [NONE, NONE, NONE, {}],
        [BAD, {}],
    ],
)
def test_what_is_not_wrong_or_not_yet(head):
    assert verdicts(run(head)) == ()


def test_a_step_that_the_scaler_left_out_is_no_fault_and_three_in_a_row_are():
    skipped = BAD | {"update_ratio": 0.0}
    assert verdicts(run([{}, {}, skipped], skipped=[2])) == ()
    (verdict,) = verdicts(run([{}, *[skipped] * 3], skipped=[1, 2, 3]))
    assert verdict.kind == "explodes"


def test_the_worst_comes_first_and_each_group_once():
    said = verdicts(run({}, body=BAD, untouched=("a.0.w", "a.1.w", "b")))
    assert [(v.group, v.kind) for v in said] == [("body", "explodes"), (None, "untouched")]
    assert said[-1].message == "3 tensors never had a gradient: `a.{0,1}.w`, `b`"
    said = verdicts(run({"update_ratio": 1e-9}, body=NONE | {"update_ratio": 1e-3}))
    assert [(v.group, v.kind) for v in said] == [("body", "dead"), ("head", "slow")]


@given(st.lists(st.lists(st.sampled_from([0.0, 1e-6, 1e-4, 1e-3, 0.5]), min_size=3, max_size=3)))
def test_slow_is_slow_beside_the_median_of_the_others(ratios):
    groups = [f"g{i}" for i in range(len(ratios))]
    made = [
        Record(i, {g: Measurement(**SOUND | {"update_ratio": r[i]}) for g, r in rows})
        for rows in [list(zip(groups, ratios, strict=True))]
        for i in range(3)
    ]
    said = {v.group for v in verdicts(Run(None, tuple(made), 3)) if v.kind == "slow"}
    for group, own in zip(groups, ratios, strict=True):
        others = [r for g, row in zip(groups, ratios, strict=True) if g != group for r in row if r]
        slow = all(own) and bool(others) and max(own) * 100 < median(others)
        assert (group in said) == slow


def test_a_group_whose_lr_still_rises_is_not_called_slow_yet():
    def made(rates):
        slow = SOUND | {"update_ratio": 1e-9}
        return Run(
            None,
            tuple(
                Record(i, {"a": Measurement(**SOUND), "b": Measurement(**slow | {"lr": lr})})
                for i, lr in enumerate(rates)
            ),
        )

    assert verdicts(made([1e-5, 2e-5, 3e-5])) == ()
    assert [v.kind for v in verdicts(made([1e-5, 2e-5, 3e-5, 3e-5]))] == ["slow"]
    assert [v.kind for v in verdicts(made([3e-5, 2e-5, 1e-5]))] == ["slow"]


def test_a_group_alone_is_not_slower_than_others():
    alone = Record(0, {"head": Measurement(**SOUND | {"update_ratio": 1e-12})})
    assert verdicts(Run(None, (alone,) * 4)) == ()


def test_a_group_that_came_late_is_judged_by_its_own_records():
    early = [Record(10 * i, {"body": Measurement(**SOUND)}) for i in range(3)]
    late = run(NONE, steps=5).records[3:]
    assert verdicts(Run(Header(FACTS), (*early, *late))) == ()
