"""Plans against the schedules that people train with, step by step: the code itself where it
installs, else what it is published to compute.

Equal to the last bit are a constant and transformers' inverse square root; the rest writes the same
line with other operations, or multiplies the last lr at each step. All are held to 1e-12 of the
first lr; those of transformers and nanoGPT were measured within 1e-15 of it.
"""

import warnings

import pytest

torch = pytest.importorskip("torch")
from support.torchvision_stub import define_operators  # noqa: E402

define_operators()

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from oracles import schedules as published  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

import grouper  # noqa: E402


def planned(text, **run):
    """{option: its values at every step} of the group `all`."""
    net = nn.Linear(4, 4, bias=False)
    plan = grouper.plan(net, grouper.parse(f"{text}\n* -> all"), **run)
    return plan.over(range(plan.steps))["all"]


def stepped(scheduler_of, steps, lr):
    """What a scheduler of an optimizer gives."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=lr)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = scheduler_of(optimizer)
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return found


def close(values, lr):
    return pytest.approx(values, rel=1e-12, abs=1e-12 * lr)


# --- transformers ----------------------------------------------------------------------------

WARM = "warmup steps={warmup}\n"
# {name: (what the rules say, what `get_scheduler` is given beside)}
TRANSFORMERS = {
    "linear": (WARM + "schedule linear after=warmup", {}),
    "cosine": (WARM + "schedule cosine after=warmup", {}),
    "cosine_with_restarts": (WARM + "schedule cosine cycles=3 after=warmup", {"num_cycles": 3}),
    "polynomial": (
        WARM + "schedule polynomial power=2 final=1e-4/lr after=warmup",
        {"power": 2, "lr_end": 1e-4},
    ),
    "constant": ("", {}),
    "constant_with_warmup": (WARM, {}),
    "inverse_sqrt": (WARM + "schedule inverse_sqrt scale=50 after=warmup", {"timescale": 50}),
    "cosine_with_min_lr": (WARM + "schedule cosine final=0.1 after=warmup", {"min_lr_rate": 0.1}),
    "cosine_warmup_with_min_lr": (
        "warmup steps={warmup} - 1 start=lr/10\nschedule cosine final=0.1 after=warmup",
        {"min_lr_rate": 0.1, "warmup_lr_rate": 0.1},
    ),
    "warmup_stable_decay": (
        "warmup steps={warmup} start=0.2*lr\n"
        "schedule wsd decay={decay}/{steps} final=0.2 shape={shape} after=warmup",
        {"min_lr_ratio": 0.2},
    ),
}
NO_FUNCTION_OF_THE_STEP = {"reduce_lr_on_plateau", "greedy"}  # they look at the loss


def test_every_name_of_transformers_is_compared_or_looks_at_the_loss():
    from transformers.trainer_utils import SchedulerType

    names = {name.value for name in SchedulerType}
    assert names == TRANSFORMERS.keys() | NO_FUNCTION_OF_THE_STEP


@pytest.mark.parametrize("name", TRANSFORMERS)
@pytest.mark.parametrize(("warmup", "steps"), [(0, 40), (10, 40), (37, 400)])
def test_get_scheduler_of_transformers(name, warmup, steps):
    from transformers import get_scheduler

    if name == "cosine_warmup_with_min_lr" and not warmup:
        return  # it has none of a length of 0
    text, given = TRANSFORMERS[name]
    for shape in ("linear", "cosine") if name == "warmup_stable_decay" else ("",):
        decay, lr = steps // 4, 0.02
        rules = text.format(warmup=warmup, steps=steps, decay=decay, shape=shape)
        if shape:
            given = {**given, "num_decay_steps": decay, "decay_type": shape}

        def native(optimizer, given=given):
            return get_scheduler(name, optimizer, warmup, steps, scheduler_specific_kwargs=given)

        early = name == "cosine_warmup_with_min_lr"  # its ends are a step before the others'
        ours = planned(f"optimizer SGD lr={lr}\n{rules}", steps=steps - early)["lr"]
        theirs = stepped(native, len(ours), lr)
        assert ours == close(theirs, lr)
        if name in ("constant", "constant_with_warmup", "inverse_sqrt") and not warmup:
            assert ours == theirs


@settings(max_examples=40)
@given(st.integers(1, 2000), st.floats(0, 1))
def test_the_share_of_a_warm_up_is_transformers_own(steps, share):
    from transformers import TrainingArguments

    length = TrainingArguments.get_warmup_steps
    given = type("Given", (), {"warmup_steps": share, "warmup_ratio": None})
    expected = length(given, steps) if 0 < share < 1 else round(share * steps)
    plan = grouper.plan(
        nn.Linear(1, 1), grouper.parse(f"optimizer SGD lr=1\nwarmup share={share!r}\n* -> all"),
        steps=steps,
    )  # fmt: skip
    assert plan.warmup_steps == expected


# --- timm ------------------------------------------------------------------------------------

TIMM = {
    "cosine": ("schedule cosine final=0.1", lambda: {"lr_min": 0.002}),
    "poly": ("schedule polynomial power=2 final=0.1", lambda: {"lr_min": 0.002, "power": 2}),
    "step": ("schedule step size=4 gamma=0.5", lambda: {"decay_t": 4, "decay_rate": 0.5}),
    "multistep": (
        "schedule step milestones=(2, 7) gamma=0.5",  # timm drops an epoch before its own
        lambda: {"decay_t": [3, 8], "decay_rate": 0.5},
    ),
}


def timm_scheduler(name, epochs, warmup, prefix, in_epochs=True):
    from timm import scheduler as timm

    cls = {
        "cosine": timm.CosineLRScheduler,
        "poly": timm.PolyLRScheduler,
        "step": timm.StepLRScheduler,
        "multistep": timm.MultiStepLRScheduler,
    }[name]
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.02)
    given = TIMM[name][1]()
    if name in ("cosine", "poly"):
        given["t_initial"] = epochs - warmup * prefix
    made = cls(
        optimizer, **given, warmup_t=warmup, warmup_lr_init=0.001, warmup_prefix=prefix,
        t_in_epochs=in_epochs,
    )  # fmt: skip
    return made, optimizer.param_groups[0]


@pytest.mark.parametrize("name", TIMM)
@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("warmup", [0, 3])
def test_timms_schedulers_by_epochs(name, prefix, warmup):
    """timm's warm-up is a step each epoch, ours one each batch: both have one value at the first
    batch of an epoch. Without a prefix timm warms up to the full lr and then falls to the
    schedule's, and ours rises to what the schedule has come down to."""
    epochs, nb = 12, 5
    made, group = timm_scheduler(name, epochs, warmup, prefix)
    after = " after=warmup every=epoch" if prefix else ""
    text = f"warmup epochs={warmup} start=0.001\n{TIMM[name][0]}{after}"
    ours = planned(f"optimizer SGD lr=0.02\n{text}", steps_per_epoch=nb, epochs=epochs)["lr"]
    for epoch in range(epochs):
        made.step(epoch)
        if prefix or epoch >= warmup + (warmup > 0):
            assert ours[epoch * nb] == close(group["lr"], 0.02)
            if epoch > warmup:
                assert len(set(ours[epoch * nb : epoch * nb + nb])) == 1


@pytest.mark.parametrize("name", TIMM)
@pytest.mark.parametrize("prefix", [True, False])
def test_timms_schedulers_by_updates(name, prefix):
    steps, warmup = 60, 12
    made, group = timm_scheduler(name, steps, warmup, prefix, in_epochs=False)
    after = "after=warmup" if prefix else "every=step"
    text = f"warmup steps={warmup} start=0.001\n{TIMM[name][0]} {after}"
    ours = planned(f"optimizer SGD lr=0.02\n{text}", steps=steps)["lr"]
    for step in range(steps):
        made.step_update(step)
        if prefix or step >= warmup:
            assert ours[step] == close(group["lr"], 0.02)


def test_timms_restarts():
    from timm.scheduler import CosineLRScheduler

    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.02)
    made = CosineLRScheduler(optimizer, t_initial=4, lr_min=0.002, cycle_limit=3)
    text = "optimizer SGD lr=0.02\nschedule cosine cycles=3 final=0.1"
    ours = planned(text, steps_per_epoch=2, epochs=12)["lr"]
    for epoch in range(12):
        made.step(epoch)
        assert ours[2 * epoch] == close(optimizer.param_groups[0]["lr"], 0.02)


# --- torch -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("warmup", "steps"), [(1, 20), (8, 40), (25, 300)])
def test_sequential_of_linear_and_cosine(warmup, steps):
    def native(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, 0.25, 1.0, warmup)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup, eta_min=0.002)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup])

    text = f"warmup steps={warmup} start=lr/4\nschedule cosine final=0.002/lr after=warmup"
    ours = planned(f"optimizer SGD lr=0.02\n{text}", steps=steps)["lr"]
    assert ours == close(stepped(native, steps, 0.02), 0.02)


# --- language models -------------------------------------------------------------------------


def test_nanogpt():
    text = (
        "optimizer AdamW lr=6e-4\nwarmup steps=200 start=lr/201\n"
        "schedule cosine final=6e-5/lr after=warmup"
    )
    theirs = [published.nanogpt_lr(step, 3000, 200, 6e-4, 6e-5) for step in range(3000)]
    assert planned(text, steps=3000)["lr"] == close(theirs, 6e-4)


def test_nanochat():
    """Muon's momentum up in 400 steps and down in the warm-down, its decay to 0, every lr down."""
    steps, share = 3000, 0.65
    text = (
        "optimizer AdamW lr=0.3 betas=(0.8, 0.95)\n"
        "optimizer Muon as hidden lr=0.02 momentum=0.97 weight_decay=0.2\n"
        "warmup steps=400 start=lr\nschedule wsd decay=0.65 final=0.05 every=step\n"
        "schedule weight_decay cosine every=step\n"
        "schedule momentum wsd decay=0.65 final=0.90/0.97 every=step\n"
        "ndim == 2 -> matrix optimizer=hidden warmup_momentum=0.85\nelse -> rest weight_decay=0"
    )
    plan = grouper.plan(nn.Linear(4, 4), grouper.parse(text), steps=steps)
    curves = plan.over(range(steps))
    rates = [published.nanochat_lr(step, steps, share, 0.05) for step in range(steps)]
    for name, lr in (("matrix", 0.02), ("rest", 0.3)):
        assert curves[name]["lr"] == close([lr * factor for factor in rates], lr)
    momentum = [published.nanochat_momentum(step, steps, share) for step in range(steps)]
    assert curves["matrix"]["momentum"] == close(momentum, 1)
    decay = [published.dino_cosine(step, steps, 0.2, 0) for step in range(steps)]
    assert curves["matrix"]["weight_decay"] == close(decay, 0.2)
    assert set(curves["rest"]["weight_decay"]) == {0}


def test_big_vision():
    for kind, options, said in (
        ("cosine", {}, "cosine"),
        ("linear", {"end": 1e-4}, "linear final=1e-4/lr"),
        ("polynomial", {"end": 1e-4, "power": 2}, "polynomial power=2 final=1e-4/lr"),
        ("rsqrt", {"timescale": 100}, "inverse_sqrt scale=100"),
    ):
        text = f"optimizer AdamW lr=1e-3\nwarmup steps=50\nschedule {said} after=warmup"
        theirs = [published.big_vision_lr(s, 500, 1e-3, kind, 50, **options) for s in range(500)]
        assert planned(text, steps=500)["lr"] == close(theirs, 1e-3)
    text = "optimizer AdamW lr=1e-3\nschedule step milestones=(100, 300) gamma=0.1 every=step"
    stairs = {"reached": (100, 300), "mults": (0.1, 0.01)}
    theirs = [published.big_vision_lr(s, 500, 1e-3, "stair", **stairs) for s in range(500)]
    assert planned(text, steps=500)["lr"] == close(theirs, 1e-3)


# --- vision ----------------------------------------------------------------------------------


def test_dino_ramps_the_decay_and_keeps_the_last_layer_for_an_epoch():
    epochs, nb, warm = 10, 20, 3
    net = nn.ModuleDict({"backbone": nn.Linear(4, 4), "last_layer": nn.Linear(4, 4, bias=False)})
    text = (
        "optimizer AdamW lr=1e-3 weight_decay=0.04\n"
        f"warmup epochs={warm}\nschedule cosine final=1e-6/lr after=warmup\n"
        "schedule weight_decay cosine final=10 every=step\n"
        "last_layer.* -> last from_epoch=1 warmup_steps=0 lr*=1\n"
        "else ndim <= 1 -> nodecay weight_decay=0\nelse -> decay"
    )
    plan = grouper.plan(net, grouper.parse(text), steps_per_epoch=nb, epochs=epochs)
    curves = plan.over(range(plan.steps))
    decay = [published.dino_cosine(step, plan.steps, 0.04, 0.4) for step in range(plan.steps)]
    for name in ("last", "decay"):
        assert curves[name]["weight_decay"] == close(decay, 0.4)
    assert set(curves["nodecay"]["weight_decay"]) == {0}
    assert set(curves["last"]["lr"][:nb]) == {0}
    assert all(curves["last"]["lr"][nb:])
    rise = [published.dinov3_lr(s, plan.steps, warm * nb, 0, 1e-3) for s in range(warm * nb)]
    assert curves["decay"]["lr"][: warm * nb] == close(rise, 1e-3)


def test_sam2_over_the_run():
    net = nn.ModuleDict(
        {"image_encoder": nn.ModuleDict({"neck": nn.Linear(4, 4)}), "decoder": nn.Linear(4, 4)}
    )
    text = (
        "optimizer AdamW lr=5e-6\nschedule cosine final=0.1 every=step\n"
        "split part { image_encoder.* -> vision lr=3e-6; else -> rest }\n"
        "split kind { *bias* -> no_decay weight_decay=0; else -> decay weight_decay=0.1 }"
    )
    plan = grouper.plan(net, grouper.parse(text), steps_per_epoch=10, epochs=8)
    curves = plan.over(range(plan.steps))
    assert len(curves) == 4
    for name, found in curves.items():
        first = 3e-6 if name.startswith("vision") else 5e-6
        theirs = [published.sam2_value(s, plan.steps, first, first / 10) for s in range(plan.steps)]
        assert found["lr"] == close(theirs, first)
