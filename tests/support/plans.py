"""Strategies for plans of every schedule, with and without warm-up, momentum, windows and other
scheduled options."""

from dataclasses import replace

from hypothesis import strategies as st

from grouper.language.ruleset import Schedule
from grouper.train.curve import Curve
from grouper.train.group_schedule import GroupSchedule, ScheduledOption
from grouper.train.plan import Plan

rates = st.floats(0, 10)
shares = st.floats(0, 1)
EVERY = st.sampled_from(["epoch", "step"])
PUNCTUAL = st.one_of(
    st.builds(lambda e: Schedule("constant", {"every": e}), EVERY),
    st.builds(
        lambda name, final, e: Schedule(name, {"final": final, "every": e}),
        st.sampled_from(["linear", "cosine", "polynomial", "wsd"]),
        shares,
        EVERY,
    ),
    st.builds(
        lambda cycles, final, e: Schedule("cosine", {"cycles": cycles, "final": final, "every": e}),
        st.integers(1, 5),
        shares,
        EVERY,
    ),
    st.builds(
        lambda decay, final, shape, e: Schedule(
            "wsd", {"decay": decay, "final": final, "shape": shape, "every": e}
        ),
        shares,
        st.floats(1e-6, 1),
        st.sampled_from(["linear", "cosine", "sqrt", "exponential"]),
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
SCHEDULES = st.builds(
    lambda schedule, more: replace(schedule, options={**schedule.options, **more}),
    PUNCTUAL,
    st.sampled_from([{}, {"lag": 1}, {"lag": 3}, {"after": "warmup"}, {"after": "warmup"}]),
)
OTHERS = st.lists(
    st.builds(
        ScheduledOption,
        st.sampled_from(["weight_decay", "momentum"]),
        shares,
        SCHEDULES.map(Curve),
    ),
    max_size=2,
    unique_by=lambda option: option.key,
).map(tuple)
WINDOWS = st.sampled_from([(0, None), (0, None), (0, 20), (7, None), (7, 30), (40, 41)])


def _course(window, **given):
    """Momentum has a schedule only where the group has momentum."""
    if given["momentum"] is None:
        given["options"] = tuple(o for o in given["options"] if o.key != "momentum")
    return GroupSchedule("group", first=window[0], end=window[1], **given)


COURSES = st.builds(
    _course,
    WINDOWS,
    lr=rates,
    warmup_steps=st.integers(0, 60),
    start=rates,
    momentum=st.none() | shares,
    warmup_momentum=st.none() | shares,
    schedule=SCHEDULES,
    warmup_shape=st.sampled_from(["linear", "linear", "cosine", "constant"]),
    options=OTHERS,
)


@st.composite
def plans(draw):
    courses = draw(st.lists(COURSES, min_size=1, max_size=4))
    named = [replace(c, name=f"g{i}") for i, c in enumerate(courses)]
    return Plan(tuple(named), draw(st.integers(1, 12)), draw(st.integers(1, 12)))
