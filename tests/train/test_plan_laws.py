"""The plan at every step is what the language's reference says, computed slowly; and the scheduler
writes it: all schedules, clocks, warm-ups, windows, and schedules of other options."""

import math
import warnings

import pytest

torch = pytest.importorskip("torch")

from hypothesis import assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402

share = st.floats(0.05, 0.95).map(lambda x: round(x, 3))
CURVES = st.one_of(
    st.just(("constant", {})),
    st.tuples(st.sampled_from(["linear", "cosine"]), st.fixed_dictionaries({"final": share})),
    st.tuples(
        st.just("cosine"), st.fixed_dictionaries({"cycles": st.integers(2, 4), "final": share})
    ),
    st.tuples(
        st.just("polynomial"), st.fixed_dictionaries({"power": st.integers(1, 3), "final": share})
    ),
    st.tuples(
        st.just("wsd"),
        st.fixed_dictionaries(
            {
                "decay": share,
                "final": share,
                "shape": st.sampled_from(["linear", "cosine", "sqrt", "exponential"]),
            }
        ),
    ),
    st.tuples(st.just("exponential"), st.fixed_dictionaries({"final": share})),
    st.tuples(st.just("exponential"), st.fixed_dictionaries({"gamma": share})),
    st.tuples(st.just("step"), st.fixed_dictionaries({"size": st.integers(1, 9), "gamma": share})),
    st.tuples(st.just("inverse_sqrt"), st.fixed_dictionaries({"scale": st.integers(1, 9)})),
)
CLOCKS = st.sampled_from(
    [{}, {"every": "step"}, {"after": "warmup"}, {"after": "warmup", "every": "epoch"}]
)
WARMUPS = st.fixed_dictionaries(
    {
        "length": st.one_of(
            st.tuples(st.just("steps"), st.integers(0, 12)),
            st.tuples(st.just("epochs"), st.floats(0, 3).map(lambda x: round(x, 2))),
            st.tuples(st.just("share"), share),
        ),
        "start": st.floats(0, 0.2).map(lambda x: round(x, 3)),
        "momentum": st.none() | share,
        "shape": st.sampled_from(["linear", "cosine", "constant"]),
    }
)
WINDOWS = st.sampled_from([(0, None), (0, None), (2, None), (0, 7), (3, 9), (5, 6)])


def factor(name, options, x, total, whole):
    """A schedule's factor at time `x` of `total`, as the reference writes it."""
    final = options.get("final", 0)
    if name == "constant":
        return 1.0
    if name == "step":
        return options["gamma"] ** (x // options["size"])
    if name == "inverse_sqrt":
        return 1 / math.sqrt((x + options["scale"]) / options["scale"])
    if name == "exponential":
        return options["gamma"] ** x if "gamma" in options else final ** min(x / total, 1)
    if name == "wsd":
        length = min(options["decay"] * whole, total)
        u = min(max((x - (total - length)) / length, 0), 1)
        if options["shape"] == "exponential":
            return final**u
        height = {
            "linear": 1 - u, "cosine": (1 + math.cos(math.pi * u)) / 2, "sqrt": 1 - math.sqrt(u),
        }  # fmt: skip
        return height[options["shape"]] * (1 - final) + final
    if x >= total:
        return final
    if name == "cosine":
        x = options.get("cycles", 1) * x % total
        return (1 + math.cos(math.pi * x / total)) / 2 * (1 - final) + final
    power = options.get("power", 1)
    return (1 - x / total) ** power * (1 - final) + final


def scheduled(curve, clock, step, nb, epochs, turn):
    """The factor at a step; the warm-up ends at the step `turn`."""
    after = "after" in clock
    by_step = clock.get("every", "step" if after else "epoch") == "step"
    x, whole = (step, nb * epochs) if by_step else (step // nb, epochs)
    begin = (turn if by_step else turn / nb) if after else 0
    if whole <= begin:
        return factor(*curve, 1, 1, 1)
    return factor(*curve, max(x - begin, 0), whole - begin, whole)


def risen(p, shape, first, last):
    """A value at the share `p` of a warm-up."""
    if p >= 1:
        return last
    p = {"linear": p, "cosine": (1 - math.cos(math.pi * p)) / 2, "constant": 0}[shape]
    return first + (last - first) * p


def expected(given, step):
    """lr, momentum and weight decay at a step."""
    (unit, length), warm, clock = given["warmup"]["length"], given["warmup"], given["clock"]
    nb, epochs, (first, end) = given["nb"], given["epochs"], given["window"]
    nw = {"steps": length, "epochs": round(length * nb)}.get(unit)
    nw = math.ceil(length * nb * epochs) if nw is None else nw
    f = scheduled(given["curve"], clock, step, nb, epochs, first + nw)
    within = step - first
    full = given["lr"] * (1 if "after" in clock and within <= nw else f)
    p = 1 if nw == 0 else within / nw
    lr = risen(p, warm["shape"], warm["start"], full)
    if not (first <= step and (end is None or step < end)):
        lr = 0
    momentum = 0.9
    if warm["momentum"] is not None:
        still = max(min(step, end - 1 if end else step) - first, 0)
        p = 1 if nw == 0 else still / nw
        momentum = risen(p, warm["shape"], warm["momentum"], 0.9)
    of_decay = scheduled(*given["decay"], step, nb, epochs, first + nw)
    return {"lr": lr, "momentum": momentum, "weight_decay": 0.1 * of_decay}


def said(options):
    return " ".join(f"{key}={value}" for key, value in options.items() if value is not None)


def text_of(given):
    unit, length = given["warmup"]["length"]
    warm = {unit: length, **{k: v for k, v in given["warmup"].items() if k != "length"}}
    (name, options), clock = given["curve"], given["clock"]
    (other, others), its_clock = given["decay"]
    first, end = given["window"]
    window = said({"from_step": first or None, "until_step": end})
    return (
        f"optimizer SGD lr={given['lr']} momentum=0.9 weight_decay=0.1\nwarmup {said(warm)}\n"
        f"schedule {name} {said(options)} {said(clock)}\n"
        f"schedule weight_decay {other} {said(others)} {said(its_clock)}\n* -> all {window}"
    )


PLANS = st.fixed_dictionaries(
    {
        "lr": st.floats(0.1, 2).map(lambda x: round(x, 3)),
        "warmup": WARMUPS,
        "curve": CURVES,
        "clock": CLOCKS,
        "decay": st.tuples(CURVES, CLOCKS),
        "window": WINDOWS,
        "nb": st.integers(1, 5),
        "epochs": st.integers(1, 6),
    }
)


@settings(max_examples=80, deadline=None)
@given(PLANS)
def test_every_step_is_what_the_reference_says_and_what_the_optimizer_has(given):
    assume(given["window"][0] < given["nb"] * given["epochs"])
    net, rules = nn.Linear(1, 1, bias=False), grouper.parse(text_of(given))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plan = grouper.plan(net, rules, steps_per_epoch=given["nb"], epochs=given["epochs"])
        optimizer = grouper.build_optimizer(net, rules)
        scheduler = plan.scheduler(optimizer)
    curves = plan.over(range(plan.steps + 1))["all"]
    for step in range(plan.steps + 1):
        values = plan.at(step)["all"]
        due = expected(given, step)
        moves = given["warmup"]["momentum"] is not None
        assert values.get("momentum", 0.9) == pytest.approx(due.pop("momentum"))
        assert ("momentum" in values) or not moves
        for key, value in due.items():
            assert values[key] == pytest.approx(value, rel=1e-12, abs=1e-14), (step, key)
        assert {key: line[step] for key, line in curves.items()} == values
        (group,) = optimizer.param_groups
        assert {key: group[key] for key in values} == values
        if step < plan.steps:
            net.weight.grad = torch.ones(1, 1)
            optimizer.step()
            scheduler.step()
