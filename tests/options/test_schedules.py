"""The eight schedules against torch's and transformers' own, with random parameters.

What is computed by the same operations agrees to the last bit: torch's closed forms of StepLR,
MultiStepLR, ExponentialLR and PolynomialLR, a LambdaLR over YOLOv5's formulas, transformers'
inverse square root. The rest agrees up to rounding, and no further: torch's schedulers multiply the
last lr at each step, so their rounding grows with the steps, and transformers and CosineAnnealingLR
write the same line with other operations.
"""

import math
import warnings

import pytest

torch = pytest.importorskip("torch")

from support.torchvision_stub import define_operators  # noqa: E402

define_operators()

from hypothesis import assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

import grouper  # noqa: E402
from grouper.language.ruleset import Schedule  # noqa: E402
from grouper.train.group_schedule import GroupSchedule  # noqa: E402
from grouper.train.plan import Plan  # noqa: E402

rates = st.floats(1e-5, 10)
finals = st.floats(0, 1)
totals = st.integers(1, 60)
gammas = st.floats(0.05, 1)
positive = st.floats(1e-3, 1)
CLOSE = {"rel": 1e-9, "abs": 1e-12}


def planned(lr, total, name, epochs_of=1, **options):
    """The lr at the beginning of each epoch of a plan that a rules file makes."""
    given = " ".join(f"{key}={value}" for key, value in options.items())
    rules = grouper.parse(f"optimizer SGD lr={lr!r}\nschedule {name} {given}\n* -> all")
    assert not rules.findings
    plan = grouper.plan(nn.Linear(1, 1), rules, steps_per_epoch=epochs_of, epochs=total)
    return [plan.at(epoch * epochs_of)["all"]["lr"] for epoch in range(total + 1)]


def stepped(lr, total, scheduler_of):
    """What a native scheduler gives, step by step."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=lr)
    scheduler = scheduler_of(optimizer)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(total + 1):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return found


def closed(lr, total, scheduler_of):
    """What a native scheduler says in its closed form."""
    scheduler = scheduler_of(torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=lr))
    found = []
    for x in range(total + 1):
        scheduler.last_epoch = x
        found += scheduler._get_closed_form_lr()
    return found


def agree(ours, scheduler_of, lr, exact):
    total = len(ours) - 1
    assert ours == pytest.approx(stepped(lr, total, scheduler_of), **CLOSE)
    if exact:
        assert ours == closed(lr, total, scheduler_of)


@settings(max_examples=40)
@given(rates, totals, st.integers(1, 20), gammas)
def test_step(lr, total, size, gamma):
    ours = planned(lr, total, "step", size=size, gamma=gamma)
    agree(ours, lambda o: lr_scheduler.StepLR(o, size, gamma), lr, True)


@settings(max_examples=40)
@given(rates, totals, st.lists(st.integers(0, 60), min_size=2, max_size=5), gammas)
def test_milestones(lr, total, milestones, gamma):
    milestones = sorted(milestones)
    ours = planned(lr, total, "step", milestones=tuple(milestones), gamma=gamma)
    native = lambda o: lr_scheduler.MultiStepLR(o, milestones, gamma)  # noqa: E731
    assert ours == closed(lr, total, native)
    assume(milestones[0] > 0)  # torch's never takes a milestone at 0, but in its closed form
    agree(ours, native, lr, True)


@settings(max_examples=40)
@given(rates, totals, gammas)
def test_exponential(lr, total, gamma):
    ours = planned(lr, total, "exponential", gamma=gamma)
    agree(ours, lambda o: lr_scheduler.ExponentialLR(o, gamma), lr, True)


@settings(max_examples=40)
@given(rates, totals, positive)
def test_exponential_to_an_end(lr, total, final):
    ours = planned(lr, total, "exponential", final=final)
    agree(ours, lambda o: lr_scheduler.ExponentialLR(o, final ** (1 / total)), lr, False)
    assert ours[-1] == lr * final


@settings(max_examples=40)
@given(rates, totals, st.floats(0.1, 4))
def test_polynomial(lr, total, power):
    ours = planned(lr, total, "polynomial", power=power)
    agree(ours, lambda o: lr_scheduler.PolynomialLR(o, total, power), lr, True)


@settings(max_examples=40)
@given(rates, totals, finals)
def test_linear(lr, total, final):
    ours = planned(lr, total, "linear", final=final)
    agree(ours, lambda o: lr_scheduler.LinearLR(o, 1.0, final, total), lr, False)
    yolov5 = lambda x: (1 - x / total) * (1.0 - final) + final  # noqa: E731
    assert ours == stepped(lr, total, lambda o: lr_scheduler.LambdaLR(o, yolov5))
    assert min(ours) >= lr * final


@settings(max_examples=40)
@given(rates, totals, finals)
def test_cosine(lr, total, final):
    ours = planned(lr, total, "cosine", final=final)
    native = lambda o: lr_scheduler.CosineAnnealingLR(o, total, lr * final)  # noqa: E731
    agree(ours, native, lr, False)
    one_cycle = lambda x: ((1 - math.cos(x * math.pi / total)) / 2) * (final - 1) + 1  # noqa: E731
    assert ours == stepped(lr, total, lambda o: lr_scheduler.LambdaLR(o, one_cycle))


@settings(max_examples=40)
@given(rates, totals, finals, st.data())
def test_wsd(lr, total, final, data):
    length = data.draw(st.integers(1, total))
    ours = planned(lr, total, "wsd", decay=length / total, final=final)

    def chain(optimizer):
        stable = lr_scheduler.ConstantLR(optimizer, 1)
        decay = lr_scheduler.LinearLR(optimizer, 1, final, length)
        return lr_scheduler.SequentialLR(optimizer, [stable, decay], [total - length])

    if length < total:
        assert ours == pytest.approx(stepped(lr, total, chain), **CLOSE)
    transformers = pytest.importorskip("transformers")
    wsd = lambda o: transformers.get_wsd_schedule(  # noqa: E731
        o, 0, length, num_training_steps=total, decay_type="linear", min_lr_ratio=final
    )
    assert ours == pytest.approx(stepped(lr, total, wsd), **CLOSE)


@settings(max_examples=40)
@given(rates, totals, st.integers(1, 1000))
def test_inverse_square_root(lr, total, scale):
    transformers = pytest.importorskip("transformers")
    ours = planned(lr, total, "inverse_sqrt", scale=scale)
    native = lambda o: transformers.get_inverse_sqrt_schedule(o, 0, scale)  # noqa: E731
    assert ours == stepped(lr, total, native)


@settings(max_examples=40)
@given(rates, totals, st.floats(0, 0.9), st.floats(0.1, 4))
def test_transformers_own_schedules(lr, total, final, power):
    transformers = pytest.importorskip("transformers")
    for name, options, native in [
        ("constant", {}, lambda o: transformers.get_constant_schedule(o)),
        ("linear", {}, lambda o: transformers.get_linear_schedule_with_warmup(o, 0, total)),
        ("cosine", {}, lambda o: transformers.get_cosine_schedule_with_warmup(o, 0, total)),
        (
            "cosine",
            {"final": final},
            lambda o: transformers.get_cosine_with_min_lr_schedule_with_warmup(
                o, 0, total, min_lr_rate=final
            ),
        ),
        (
            "polynomial",
            {"final": final, "power": power},
            lambda o: transformers.get_polynomial_decay_schedule_with_warmup(
                o, 0, total, lr_end=lr * final, power=power
            ),
        ),
    ]:
        ours = planned(lr, total, name, **options)
        assert ours == pytest.approx(stepped(lr, total, native), **CLOSE), name


@settings(max_examples=40)
@given(rates, st.integers(1, 40), st.integers(0, 60))
def test_transformers_warm_up(lr, length, more):
    transformers = pytest.importorskip("transformers")
    rules = grouper.parse(f"optimizer SGD lr={lr!r}\nwarmup steps={length}\n* -> all")
    plan = grouper.plan(nn.Linear(1, 1), rules, steps_per_epoch=length + more, epochs=1)
    ours = [plan.at(step)["all"]["lr"] for step in range(plan.steps + 1)]
    native = lambda o: transformers.get_constant_schedule_with_warmup(o, length)  # noqa: E731
    assert ours == pytest.approx(stepped(lr, plan.steps, native), **CLOSE)


CHAINED = st.sampled_from(
    [
        ("cosine final=0.1", lambda o, lr, e: lr_scheduler.CosineAnnealingLR(o, e, lr * 0.1)),
        ("linear final=0.1", lambda o, lr, e: lr_scheduler.LinearLR(o, 1, 0.1, e)),
        ("step size=2", lambda o, lr, e: lr_scheduler.StepLR(o, 2)),
        ("step milestones=(1, 3)", lambda o, lr, e: lr_scheduler.MultiStepLR(o, [1, 3])),
        ("exponential gamma=0.8", lambda o, lr, e: lr_scheduler.ExponentialLR(o, 0.8)),
        ("polynomial power=2", lambda o, lr, e: lr_scheduler.PolynomialLR(o, e, 2)),
        ("constant", lambda o, lr, e: lr_scheduler.ConstantLR(o, 1)),
    ]
)


@settings(max_examples=60)
@given(CHAINED, rates, st.integers(1, 8), st.integers(1, 6), st.floats(0.01, 1), st.data())
def test_chains_of_a_warm_up_by_steps_and_a_schedule_by_epochs(
    chained, lr, per_epoch, epochs, start, data
):
    """LinearLR after every batch and the schedule after every epoch, as loops by hand do it; both
    are one line while warm-up is in the first epoch, where the schedule is at 1."""
    text, native = chained
    length = data.draw(st.integers(1, per_epoch))
    rules = grouper.parse(
        f"optimizer SGD lr={lr!r}\nwarmup steps={length} start={start * lr!r}\n"
        f"schedule {text}\n* -> all"
    )
    plan = grouper.plan(nn.Linear(1, 1), rules, steps_per_epoch=per_epoch, epochs=epochs)
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=lr)
    by_step = lr_scheduler.LinearLR(optimizer, start, 1.0, length)
    by_epoch = native(optimizer, lr, epochs)
    for step in range(plan.steps):
        due = optimizer.param_groups[0]["lr"]
        # CosineAnnealingLR's recursion is right only where nobody else writes lr before its turn.
        assert plan.at(step)["all"]["lr"] == pytest.approx(due, rel=1e-7, abs=1e-12)
        optimizer.step()
        by_step.step()
        if (step + 1) % per_epoch == 0:
            by_epoch.step()


@settings(max_examples=30)
@given(rates, st.integers(1, 9), st.integers(1, 30), st.floats(0.01, 1), st.floats(0.5, 1))
def test_chains_of_torchs_own(lr, length, rest, start, gamma):
    """SequentialLR and ChainedScheduler of LinearLR and what follows."""
    total = length + rest
    warm = f"optimizer SGD lr={lr!r}\nwarmup steps={length} start={start * lr!r}\n"
    rules = grouper.parse(f"{warm}schedule constant\n* -> all")
    plan = grouper.plan(nn.Linear(1, 1), rules, steps_per_epoch=total, epochs=1)

    def sequential(optimizer):
        first = lr_scheduler.LinearLR(optimizer, start, 1.0, length)
        second = lr_scheduler.ConstantLR(optimizer, 1)
        return lr_scheduler.SequentialLR(optimizer, [first, second], [length])

    ours = [plan.at(step)["all"]["lr"] for step in range(total + 1)]
    assert ours == pytest.approx(stepped(lr, total, sequential), **CLOSE)

    rules = grouper.parse(f"{warm}schedule step size={length} gamma={gamma} every=step\n* -> all")
    plan = grouper.plan(nn.Linear(1, 1), rules, steps_per_epoch=total, epochs=1)
    chain = lambda o: lr_scheduler.ChainedScheduler(  # noqa: E731
        [lr_scheduler.LinearLR(o, start, 1.0, length), lr_scheduler.StepLR(o, length, gamma)]
    )
    native = stepped(lr, total, chain)
    ours = [plan.at(step)["all"]["lr"] for step in range(total + 1)]
    assert ours == pytest.approx(native, **CLOSE)


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_the_clock(every):
    rules = grouper.parse(f"optimizer SGD lr=1.0\nschedule linear final=0 every={every}\n* -> all")
    plan = grouper.plan(nn.Linear(1, 1), rules, steps_per_epoch=4, epochs=5)
    for step in range(21):
        x, total = (step, 20) if every == "step" else (step // 4, 5)
        assert plan.at(step)["all"]["lr"] == 1 - x / total


NAMES = st.sampled_from(["linear", "cosine", "polynomial", "wsd", "exponential"])


@settings(max_examples=40)
@given(NAMES, st.floats(0.001, 3), totals, st.integers(0, 1000))
def test_beyond_the_end_a_final_stays(name, final, total, beyond):
    course = GroupSchedule("all", 1.0, schedule=Schedule(name, {"final": final}))
    plan = Plan((course,), 1, total)
    end = plan.at(total)["all"]["lr"]
    assert end == pytest.approx(final, rel=1e-12)
    assert plan.at(total + beyond)["all"]["lr"] == end
    if name == "linear" and final <= 1:
        assert all(plan.at(x)["all"]["lr"] >= final for x in range(total + 3))
