"""Which steps a plan's table shows."""

import pytest

from grouper.language.ruleset import Schedule
from grouper.reports.plan.key_steps import key_steps
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


def shown(*groups, epochs=10, steps=10, room=0):
    plan = Plan(groups, steps, epochs)
    return {key.step: " ".join(key.words) for key in key_steps(plan, room)}


def test_start_warm_ups_half_and_last():
    groups = [GroupSchedule("a", 1.0, warmup_steps=30), GroupSchedule("b", 1.0, warmup_steps=7)]
    assert shown(*groups) == {
        0: "start",
        7: "warm-up ends",
        30: "warm-up ends",
        50: "half",
        99: "last",
    }
    assert shown(GroupSchedule("a", 1.0, warmup_steps=100)) == {0: "start", 50: "half", 99: "last"}


def test_quarters_and_epochs_of_the_warm_up_where_there_is_room():
    assert list(shown(GroupSchedule("a", 1.0, warmup_steps=20), room=5)) == [0, 20, 25, 50, 99]
    found = shown(GroupSchedule("a", 1.0, warmup_steps=20), room=99)
    assert found == {
        0: "start",
        10: "epoch 1",
        20: "warm-up ends",
        25: "1/4",
        50: "half",
        75: "3/4",
        99: "last",
    }


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"milestones": (2, 7, 40)}, [20, 70]),
        ({"milestones": (2, 7, 40), "every": "step"}, [2, 7, 40]),
        ({"size": 4}, [40, 80]),
        ({"milestones": (2, 7), "lag": 2}, [40, 90]),
        ({"size": 2.5, "every": "step"}, [3, 5, 8, 10, 13, 15]),
        ({"milestones": tuple(range(1, 10))}, [10, 20, 30, 40, 50, 90]),
    ],
)
def test_milestones(options, steps):
    group = GroupSchedule("a", 1.0, schedule=Schedule("step", {"gamma": 0.5, **options}))
    found = shown(group)
    assert [step for step, word in found.items() if "milestone" in word] == steps
    lr = Plan((group,), 10, 10).over(range(100))["a"]["lr"]
    for step in steps:
        assert lr[step] < lr[step - 1]


def test_the_decay_of_wsd_begins():
    for every, step in (("epoch", 70), ("step", 70)):
        group = GroupSchedule("a", 1.0, schedule=Schedule("wsd", {"decay": 0.3, "every": every}))
        assert shown(group)[step] == "decay begins"
        lr = Plan((group,), 10, 10).over(range(100))["a"]["lr"]
        assert lr[step] == 1.0
        assert lr[80] < 1.0


def test_a_run_of_one_step():
    assert shown(GroupSchedule("a", 1.0), epochs=1, steps=1) == {0: "start last"}
