"""`Plan.over` is `Plan.at` at every step, to the last bit, whatever the steps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.planning import Course, Plan
from grouper.ruleset.model import Schedule

rates = st.floats(0, 10)
shares = st.floats(0, 1)
EVERY = st.sampled_from(["epoch", "step"])
SCHEDULES = st.one_of(
    st.builds(lambda e: Schedule("constant", {"every": e}), EVERY),
    st.builds(
        lambda name, final, e: Schedule(name, {"final": final, "every": e}),
        st.sampled_from(["linear", "cosine", "polynomial", "wsd"]),
        shares,
        EVERY,
    ),
    st.builds(
        lambda size, gamma, e: Schedule("step", {"size": size, "gamma": gamma, "every": e}),
        st.integers(1, 50),
        shares,
        EVERY,
    ),
    st.builds(
        lambda marks, e: Schedule("step", {"milestones": tuple(sorted(marks)), "every": e}),
        st.lists(st.integers(0, 100), max_size=3),
        EVERY,
    ),
    st.builds(lambda g, e: Schedule("exponential", {"gamma": g, "every": e}), shares, EVERY),
    st.builds(
        lambda f, e: Schedule("exponential", {"final": f, "every": e}), st.floats(1e-6, 1), EVERY
    ),
    st.builds(
        lambda s, e: Schedule("inverse_sqrt", {"scale": s, "every": e}), st.floats(0.1, 9), EVERY
    ),
)
COURSES = st.builds(
    Course,
    st.just("group"),
    lr=rates,
    warmup_steps=st.integers(0, 60),
    start=rates,
    momentum=st.none() | shares,
    warmup_momentum=st.none() | shares,
    schedule=SCHEDULES,
)


@st.composite
def plans(draw):
    courses = draw(st.lists(COURSES, min_size=1, max_size=4))
    named = [replace(c, name=f"g{i}") for i, c in enumerate(courses)]
    return Plan(tuple(named), draw(st.integers(1, 12)), draw(st.integers(1, 12)))


def check(plan, steps):
    values = [plan.at(step) for step in steps]
    found = plan.over(steps)
    assert list(found) == [course.name for course in plan.courses]
    for course in plan.courses:
        keys = ["lr"] if course.momentum is None else ["lr", "momentum"]
        assert list(found[course.name]) == keys
        for key in keys:
            one_by_one = [value[course.name][key] for value in values]
            assert list(map(float.hex, found[course.name][key])) == list(map(float.hex, one_by_one))


@given(plans(), st.integers(0, 20), st.integers(1, 3))
def test_over_a_whole_run_and_beyond_it(plan, beyond, stride):
    check(plan, range(0, plan.steps + beyond, stride))


@given(plans(), st.lists(st.integers(0, 200), max_size=30))
def test_over_any_steps_in_any_order(plan, steps):
    check(plan, steps)


def test_steps_may_come_from_an_iterator():
    plan = Plan((Course("all", 1.0, warmup_steps=4),), 2, 5)
    assert plan.over(iter(range(3)))["all"]["lr"] == [0.0, 0.25, 0.5]
    assert plan.over([]) == {"all": {"lr": []}}


def test_there_is_no_step_before_the_first():
    plan = Plan((Course("all", 1.0),), 2, 5)
    for steps in ([-1], [3, -1, 2]):
        with pytest.raises(ValueError, match="no step -1"):
            plan.over(steps)
