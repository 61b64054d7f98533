"""However large or small the numbers of a plan are: it is finite and shown, or refused in words."""

import io
import math

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from support.builders import small_yolo

import grouper
from grouper.options.kinds import CLOCK, COUNT, COUNTS, NOT_NEGATIVE, POSITIVE, SHARE
from grouper.options.plan_keys import PLAN, WARMUP
from grouper.options.schedules import SCHEDULES
from grouper.reports.plan.csv import plan_csv
from grouper.reports.plan.curves import print_curves
from grouper.reports.plan.table import print_table
from grouper.reports.plan.tracks import tracks_of

MODEL = small_yolo()
SMALL, LARGE = ("5e-324", "1e-320", "1e-10", "0.5"), ("1e10", "1e300", "1.7e308", "1" + "0" * 308)
WHOLE = ("1", "3", "999999999", "1" + "0" * 30)
VALUES = {
    CLOCK: ("epoch", "step"),
    COUNT: ("0", *WHOLE),
    COUNTS: ("(1, 2)", f"(0, 1{'0' * 400})"),
    NOT_NEGATIVE: ("0", *SMALL, *WHOLE, *LARGE),
    POSITIVE: (*SMALL, *WHOLE, *LARGE),
    SHARE: ("0", *SMALL, "1"),
}


def options(kinds):
    """Some of a statement's options, with values that their kinds allow."""
    pairs = {key: st.sampled_from(VALUES[kind]) for key, kind in kinds.items() if kind in VALUES}
    chosen = st.fixed_dictionaries({}, optional=pairs)
    return chosen.map(lambda given: " ".join(f"{key}={value}" for key, value in given.items()))


def of(table):
    return options({key: kind for key, (kind, _) in table.items()})


SCHEDULED = st.sampled_from(list(SCHEDULES)).flatmap(
    lambda name: of(SCHEDULES[name].options).map(lambda given: f"{name} {given}")
)


@given(
    st.sampled_from(VALUES[POSITIVE]),
    of(WARMUP),
    SCHEDULED,
    options(PLAN),
    st.sampled_from([1, 10, 300]),
    st.sampled_from([1, 10]),
)
def test_it_is_finite_or_refused(lr, warmup, schedule, own, epochs, steps_per_epoch):
    text = (
        f"optimizer SGD lr={lr} momentum=0.9\nwarmup {warmup}\nschedule {schedule}\n* -> all {own}"
    )
    rules = grouper.parse(text)
    if not grouper.check(MODEL, rules).ok:
        return
    try:
        plan = grouper.plan(MODEL, rules, steps_per_epoch=steps_per_epoch, epochs=epochs)
    except ValueError as error:
        words = "overflows", "longer than", "is empty", "opens at step"
        assert any(word in str(error) for word in words)  # noqa: PT017
        return
    steps = range(plan.steps)
    (curves,) = plan.over(steps).values()
    for step in (0, 1, plan.steps // 2, plan.steps - 1):
        (values,) = plan.at(step).values()
        assert all(map(math.isfinite, values.values()))
        if step < plan.steps:
            assert values == {key: curve[step] for key, curve in curves.items()}
    assert all(math.isfinite(value) for curve in curves.values() for value in curve)
    plan.at(2 * plan.steps)
    out = Console(file=io.StringIO(), width=80)
    print_table(plan, tracks_of(plan), out)
    print_curves(plan, tracks_of(plan), out)
    assert "".join(plan_csv(plan, 1)).count("\n") == plan.steps + 1
