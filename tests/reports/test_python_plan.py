"""The plan in emitted code is grouper's, to the last bit. No torch is needed to see it."""

import pytest
from hypothesis import given
from support.plans import plans

from grouper.language.ruleset import Schedule
from grouper.options.schedules import SCHEDULES
from grouper.reports.python.plan import plan_code
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


def emitted(plan):
    """The function `plan` of the emitted code."""
    code = plan_code(plan)
    functions = [f for f in code.functions if not f.startswith("def set_rates")]
    space = {}
    exec("\n\n".join([*code.imports, code.constants, *functions]), space)
    return space["plan"]


def hexed(values):
    return {group: {key: float.hex(v) for key, v in of.items()} for group, of in values.items()}


@given(plans())
def test_every_step_to_the_last_bit_and_beyond_the_run(plan):
    found = emitted(plan)
    for step in range(plan.steps + 5):
        assert hexed(found(step)) == hexed(plan.at(step))


OPTIONS = {
    "step": ({"size": 3, "gamma": 0.3}, {"milestones": (2, 5)}, {"milestones": (3,)}),
    "exponential": ({"gamma": 0.9}, {"final": 0.05}),
    "constant": ({},),
    "inverse_sqrt": ({}, {"scale": 7}),
    "polynomial": ({"power": 2.5, "final": 0.1},),
    "wsd": ({}, {"decay": 0.3, "final": 0.1}, {"final": 0, "decay": 1}),
}


@pytest.mark.parametrize("lag", [0, 2])
@pytest.mark.parametrize("every", ["epoch", "step"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule(name, every, lag):
    courses = [
        GroupSchedule(
            f"{number}",
            0.3,
            17,
            0.1,
            schedule=Schedule(name, {**options, "every": every, "lag": lag}),
        )
        for number, options in enumerate(OPTIONS.get(name, ({}, {"final": 0.01})))
    ]
    plan = Plan(tuple(courses), 10, 12)
    found = emitted(plan)
    for step in range(plan.steps + 20):
        assert hexed(found(step)) == hexed(plan.at(step))


def test_there_is_no_step_before_the_first():
    with pytest.raises(ValueError, match="no step -1"):
        emitted(Plan((), 1, 1))(-1)
