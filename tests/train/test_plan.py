"""The plan against what others compute: YOLOv5's recorded runs, numpy, torch's schedulers."""

import copy
import gzip
import json
import pickle
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import small_yolo

import grouper
from grouper.options.schedules import SCHEDULES
from grouper.train.group_schedule import interpolate

RECORDING = Path(__file__).parents[1] / "oracles" / "yolov5.json.gz"


@cache
def traces():
    return json.loads(gzip.decompress(RECORDING.read_bytes()))["traces"]


@pytest.mark.parametrize("number", range(12))
def test_every_step_of_yolov5s_runs_to_the_last_bit(number):
    trace = traces()[number]
    plan = grouper.plan(
        small_yolo(),
        grouper.load("yolov5.rules", curve="cosine" if trace["cosine"] else "linear"),
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


LAG = """
optimizer SGD lr=1.0
warmup steps=4
schedule linear final=0 lag={lag} every={clock}
*.bias -> bias warmup_steps={length}
else -> rest
"""


@given(st.sampled_from(["epoch", "step"]), st.integers(0, 3), st.integers(0, 30), st.integers(1, 6))
def test_a_lag_holds_the_last_rate_of_warmup_and_then_follows(clock, lag, length, nb):
    def plan(lag):
        text = LAG.format(lag=lag, clock=clock, length=length)
        return grouper.plan(small_yolo(), grouper.parse(text), steps_per_epoch=nb, epochs=8)

    late, prompt = plan(lag), plan(0)
    unit, total = (1, late.steps) if clock == "step" else (nb, late.epochs)
    for step in range(late.steps):
        if step <= length:
            assert late.at(step)["bias"] == prompt.at(step)["bias"]
        else:
            time = max(step // unit - lag, length // unit)
            assert late.at(step)["bias"] == {"lr": 1 - time / total}
    curves = late.over(range(late.steps))
    for name in ("bias", "rest"):
        assert curves[name]["lr"] == [late.at(s)[name]["lr"] for s in range(late.steps)]


@given(st.sampled_from(NAMES), st.floats(0, 1), st.integers(1, 500))
def test_schedules_begin_at_one_and_end_at_final(name, final, total):
    options = {"final": final} if name not in ("constant", "inverse_sqrt") else {}
    f = SCHEDULES[name].factor(options)
    assert f(0, total, total) == pytest.approx(1)
    values = [f(x, total, total) for x in range(total + 3)]
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


def plan(text, steps_per_epoch=10, epochs=10, **variables):
    rules = grouper.parse(text, **variables)
    assert not rules.findings
    return grouper.plan(small_yolo(), rules, steps_per_epoch=steps_per_epoch, epochs=epochs)


@given(st.floats(0, 50), st.integers(1, 200), st.integers(0, 300))
def test_the_length_of_a_warm_up_is_rounded_as_python_rounds(epochs, per_epoch, least):
    made = plan(
        f"optimizer SGD lr=1\nwarmup epochs={epochs} min_steps={least}\n* -> all", per_epoch
    )
    assert made.warmup_steps == max(round(epochs * per_epoch), least)


@pytest.mark.parametrize(("epochs", "length"), [(0.5, 2), (0.7, 4), (1.5, 8), (0.1, 0)])
def test_halves_are_rounded_to_even(epochs, length):
    assert plan(f"optimizer SGD lr=1\nwarmup epochs={epochs}\n* -> all", 5).warmup_steps == length


@given(
    st.integers(1, 9),
    st.integers(1, 6),
    st.integers(0, 80),
    st.floats(0, 2),
    st.sampled_from(["epoch", "step"]),
)
def test_warm_up_is_numpys_interpolation_at_every_step(per_epoch, epochs, length, start, every):
    numpy = pytest.importorskip("numpy")
    made = plan(
        f"optimizer SGD lr=0.3 momentum=0.9\nwarmup steps={length} start={start} momentum=0.5\n"
        f"schedule linear final=0.1 every={every}\n* -> all",
        per_epoch,
        epochs,
    )
    for step in range(made.steps + 2):
        x, total = (step, made.steps) if every == "step" else (step // per_epoch, epochs)
        lr, momentum = 0.3 * (max(1 - x / total, 0) * (1.0 - 0.1) + 0.1), 0.9
        if step <= length and length:
            lr = numpy.interp(step, [0, length], [start, lr])
            momentum = numpy.interp(step, [0, length], [0.5, momentum])
        assert made.at(step)["all"] == {"lr": lr, "momentum": momentum}


def test_a_warm_up_longer_than_the_run_ends_below():
    made = plan("optimizer SGD lr=1\nwarmup epochs=20\n* -> all")
    assert made.warmup_steps == 200
    assert made.at(made.steps)["all"]["lr"] == 0.5


@pytest.mark.parametrize("warmup", ["steps=0", "epochs=0", "epochs=0.01", "start=3", ""])
def test_a_warm_up_without_length_is_none(warmup):
    text = "optimizer SGD lr=1 momentum=0.9\n" + (f"warmup {warmup} momentum=0.1" * bool(warmup))
    assert plan(f"{text}\n* -> all").at(0)["all"] == {"lr": 1.0, "momentum": 0.9}


def test_a_rate_of_zero_stays_zero():
    made = plan(
        "optimizer SGD lr=0\nwarmup steps=4\nschedule cosine final=0.1\n*.bias -> b lr=1e-3\n"
        "else -> all"
    )
    assert set(made.over(range(101))["all"]["lr"]) == {0.0}


def test_steps_and_epochs_of_a_group_replace_the_files():
    made = plan(
        "optimizer SGD lr=1\nwarmup epochs=1 min_steps=30 start=0.5\n"
        "split part { *.bias -> a warmup_steps=4; *.bn.weight -> b warmup_epochs=5;"
        " model.0.* -> c warmup_epochs=0; else -> d warmup_start*=0.5 }".replace(
            "model.0.*", "model.0.conv.*"
        )
    )
    lengths = {course.name: course.warmup_steps for course in made.groups}
    assert lengths == {"a": 4, "b": 50, "c": 30, "d": 30}  # `min_steps` bounds epochs alone
    assert made.at(0)["d"]["lr"] == 0.25
    made = plan("optimizer SGD lr=1\nwarmup steps=25\n* -> all warmup_steps*=0.5")
    assert made.warmup_steps == round(12.5)


def test_a_group_takes_what_it_does_not_say_from_the_file():
    made = plan(
        "optimizer SGD lr=1\nschedule linear final=0.2 every=step\n"
        "*.bias -> cosine schedule=cosine final=0.2\n"
        "*.bn.weight -> fall schedule=exponential(final=0.2)\n"
        "model.24.m.0.weight -> flat schedule=constant\n"
        "else -> own final=0.5"
    )
    end = {name: values["lr"] for name, values in made.at(100).items()}
    assert end == pytest.approx({"cosine": 0.2, "fall": 0.2, "flat": 1.0, "own": 0.5})
    middle = {name: values["lr"] for name, values in made.at(50).items()}
    assert middle == pytest.approx({"cosine": 0.6, "fall": 0.2**0.5, "flat": 1.0, "own": 0.75})
    made = plan("optimizer SGD lr=1\nschedule exponential gamma=0.9\n* -> all final=0.5")
    assert made.at(100)["all"]["lr"] == 0.5  # said in another way, and by the group


def test_optimizers_without_momentum_have_none():
    made = plan("optimizer Adagrad lr=1\nwarmup steps=5 momentum=0.5\n* -> all")
    assert made.at(2) == {"all": {"lr": pytest.approx(0.4)}}


@pytest.mark.parametrize(
    ("optimizer", "momentum"),
    [("AdamW", 0.9), ("torch.optim:NAdam", 0.9), ("RMSprop", None), ("SGD", None), ("Rprop", None)],
)
def test_what_is_warmed_up_and_not_said_is_the_optimizers_own(optimizer, momentum):
    made = plan(
        f"optimizer {optimizer} lr=1\nwarmup steps=4 momentum=0.5\nndim > 1 -> all\nelse -> freeze"
    )
    values = [made.at(step)["all"].get("momentum") for step in (0, 2, 4, 50)]
    if momentum is None:
        assert values == [None] * 4
    else:
        assert values == [0.5, pytest.approx((0.5 + momentum) / 2), momentum, momentum]
    left = plan(f"optimizer {optimizer} lr=1\nwarmup steps=4\nndim > 1 -> all\nelse -> freeze")
    assert "momentum" not in left.at(2)["all"]  # nobody asked for it


def test_a_plan_is_pickled_and_copied():
    made = plan("optimizer SGD lr=1\nschedule cosine\n* -> all")
    values = made.at(50)
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert again == made
        assert again.at(50) == values


def test_what_grows_beyond_all_numbers_is_refused():
    text = "optimizer SGD lr=1\nschedule exponential gamma=2 every={}\n* -> all"
    assert plan(text.format("epoch"), 200).at(1999)["all"]["lr"] == 512
    with pytest.raises(ValueError, match=r"`all` overflows within 2000 steps .*gamma=2"):
        plan(text.format("step"), 200)


def test_steps_are_counted_from_zero():
    with pytest.raises(ValueError, match="-1"):
        plan("optimizer SGD lr=1\n* -> all").at(-1)


def test_what_cannot_be_planned_is_said():
    with pytest.raises(ValueError, match="`all` has no `lr`"):
        grouper.plan(small_yolo(), grouper.parse("* -> all"), steps_per_epoch=1, epochs=1)
    rules = grouper.parse("* -> all lr=1")
    with pytest.raises(ValueError, match="an integer of at least 1, not 0"):
        grouper.plan(small_yolo(), rules, steps_per_epoch=0, epochs=1)
    with pytest.raises(grouper.GroupingError, match="GR101") as caught:
        grouper.plan(small_yolo(), grouper.parse("*.bias -> b"), steps_per_epoch=1, epochs=1)
    assert [f.code.id for f in caught.value.findings] == ["GR101"]
