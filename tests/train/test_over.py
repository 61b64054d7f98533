"""`Plan.over` is `Plan.at` at every step, to the last bit, whatever the steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import plans

from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


def check(plan, steps):
    values = [plan.at(step) for step in steps]
    found = plan.over(steps)
    assert list(found) == [group.name for group in plan.groups]
    for group in plan.groups:
        keys = ["lr"] if group.momentum is None else ["lr", "momentum"]
        keys += [option.key for option in group.options if option.key != "momentum"]
        assert list(found[group.name]) == keys
        for key in keys:
            one_by_one = [value[group.name][key] for value in values]
            assert list(map(float.hex, found[group.name][key])) == list(map(float.hex, one_by_one))


@given(plans(), st.integers(0, 20), st.integers(1, 3))
def test_over_a_whole_run_and_beyond_it(plan, beyond, stride):
    check(plan, range(0, plan.steps + beyond, stride))


@given(plans(), st.lists(st.integers(0, 200), max_size=30))
def test_over_any_steps_in_any_order(plan, steps):
    check(plan, steps)


def test_steps_may_come_from_an_iterator():
    plan = Plan((GroupSchedule("all", 1.0, warmup_steps=4),), 2, 5)
    assert plan.over(iter(range(3)))["all"]["lr"] == [0.0, 0.25, 0.5]
    assert plan.over([]) == {"all": {"lr": []}}


def test_there_is_no_step_before_the_first():
    plan = Plan((GroupSchedule("all", 1.0),), 2, 5)
    for steps in ([-1], [3, -1, 2]):
        with pytest.raises(ValueError, match="not -1"):
            plan.over(steps)
