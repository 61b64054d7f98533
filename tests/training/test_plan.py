"""The plan against what others compute: YOLOv5's recorded runs, numpy, torch's schedulers."""

import gzip
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from builders import small_yolo
from hypothesis import given
from hypothesis import strategies as st

import grouper
from grouper.planning import interpolate
from grouper.schedules import factor

RECORDING = Path(__file__).parents[1] / "oracles" / "yolov5.json.gz"


@cache
def traces():
    return json.loads(gzip.decompress(RECORDING.read_bytes()))["traces"]


def yolov5_rules(cosine):
    if not cosine:
        return grouper.load("yolov5.rules")
    text = Path("rules/yolov5.rules").read_text("utf-8")
    return grouper.parse(text.replace("schedule linear", "schedule cosine"))


@pytest.mark.parametrize("number", range(8))
def test_every_step_of_yolov5s_runs_to_the_last_bit(number):
    trace = traces()[number]
    plan = grouper.plan(
        small_yolo(),
        yolov5_rules(trace["cosine"]),
        steps_per_epoch=trace["nb"],
        epochs=trace["epochs"],
    )
    steps = trace["epochs"] * trace["nb"]
    assert len(trace["lr"]) == len(trace["momentum"]) == plan.steps == steps
    for step in range(steps):
        values = plan.at(step)
        bias, others = map(float.fromhex, trace["lr"][step])
        momentum = float.fromhex(trace["momentum"][step])
        assert values["bias"] == {"lr": bias, "momentum": momentum}
        assert values["weight"] == values["norm"] == {"lr": others, "momentum": momentum}
    curves = plan.over(range(steps))
    assert [float.hex(v) for v in curves["weight"]["lr"]] == [
        float.hex(plan.at(step)["weight"]["lr"]) for step in range(steps)
    ]


def test_the_recording_has_runs_shorter_and_longer_than_the_warmup():
    lengths = {trace["epochs"] * trace["nb"] for trace in traces()}
    assert min(lengths) < 100 < max(lengths)
    assert {trace["cosine"] for trace in traces()} == {False, True}


finite = st.floats(-1e6, 1e6)


@given(st.integers(0, 5000), st.integers(1, 4000), finite, finite)
def test_interpolation_is_numpys_to_the_last_bit(step, length, start, end):
    numpy = pytest.importorskip("numpy")
    assert interpolate(step, length, start, end) == numpy.interp(step, [0, length], [start, end])


NAMES = ("constant", "linear", "cosine", "polynomial", "wsd", "inverse_sqrt")


@given(st.sampled_from(NAMES), st.floats(0, 1), st.integers(1, 500))
def test_schedules_begin_at_one_and_end_at_final(name, final, total):
    options = {"final": final} if name not in ("constant", "inverse_sqrt") else {}
    f = factor(name, options)
    assert f(0, total) == pytest.approx(1)
    values = [f(x, total) for x in range(total + 3)]
    assert all(a >= b or a == pytest.approx(b, abs=1e-12) for a, b in pairwise(values))
    if options:
        assert values[total] == values[-1] == pytest.approx(final, abs=1e-12)


def test_groups_have_their_own_warmup_and_schedule():
    rules = grouper.parse(
        "optimizer SGD lr=1.0 momentum=0.9\n"
        "warmup steps=4 start=0.5 momentum=0.5\n"
        "schedule linear final=0.1\n"
        "*.bias -> bias warmup_start=2 warmup_momentum=0.7 warmup_steps=2 schedule=constant\n"
        "else -> weight final=0.5 warmup_epochs=1\n"
    )
    plan = grouper.plan(small_yolo(), rules, steps_per_epoch=10, epochs=10)
    assert plan.warmup_steps == 10
    assert plan.at(0)["bias"] == {"lr": 2.0, "momentum": 0.7}
    assert plan.at(1)["bias"] == {"lr": 1.5, "momentum": pytest.approx(0.8)}
    assert plan.at(99)["bias"] == {"lr": 1.0, "momentum": 0.9}
    assert plan.at(0)["weight"] == {"lr": 0.5, "momentum": 0.5}
    assert plan.at(5)["weight"]["lr"] == 0.75
    assert plan.at(99)["weight"]["lr"] == pytest.approx(0.55)


def test_momentum_is_the_first_of_the_betas_and_steps_are_a_clock():
    rules = grouper.parse(
        "optimizer AdamW lr=0.1 betas=(0.9, 0.999)\n"
        "warmup epochs=1 momentum=0.5\n"
        "schedule linear final=0 every=step\n"
        "* -> all"
    )
    plan = grouper.plan(small_yolo(), rules, steps_per_epoch=4, epochs=5)
    assert plan.at(0)["all"] == {"lr": 0.0, "momentum": 0.5}
    assert plan.at(4)["all"] == {"lr": pytest.approx(0.08), "momentum": 0.9}
    assert plan.at(10)["all"]["lr"] == 0.1 * 0.5


def test_what_cannot_be_planned_is_said():
    with pytest.raises(ValueError, match="`all` has no `lr`"):
        grouper.plan(small_yolo(), grouper.parse("* -> all"), steps_per_epoch=1, epochs=1)
    rules = grouper.parse("* -> all lr=1")
    with pytest.raises(ValueError, match="at least one epoch of at least one step"):
        grouper.plan(small_yolo(), rules, steps_per_epoch=0, epochs=1)
    with pytest.raises(grouper.GroupingError, match="GR101") as caught:
        grouper.plan(small_yolo(), grouper.parse("*.bias -> b"), steps_per_epoch=1, epochs=1)
    assert [f.code.id for f in caught.value.findings] == ["GR101"]
