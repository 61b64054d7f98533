"""Loops that are wrong are errors that say so; loops that are right never are."""

import copy
import warnings

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

import grouper  # noqa: E402

RULES = """
let base = 0.1
optimizer SGD lr=base momentum=0.9
warmup steps=5 start=0 momentum=0.5
schedule linear final=0.1
split kind { *.bias -> bias warmup_start=0.2; else -> weight }
"""


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


class Run:
    def __init__(self, text=RULES, steps_per_epoch=100, epochs=3):
        self.model, self.rules = model(), grouper.parse(text)
        self.optimizer = grouper.build_optimizer(self.model, self.rules)
        self.plan = grouper.plan(
            self.model, self.rules, steps_per_epoch=steps_per_epoch, epochs=epochs
        )
        self.scheduler = self.plan.scheduler(self.optimizer)

    def backward(self):
        self.model(torch.ones(2, 3)).square().mean().backward()

    def batch(self):
        self.optimizer.zero_grad()
        self.backward()
        self.optimizer.step()

    def accumulated(self, batches, accumulate, zero, scheduled):
        """Batches whose gradients are zeroed first, or before or after the scheduler's turn, in
        which it is stepped as often as `scheduled` says."""
        for number in range(1, batches + 1):
            step = number % accumulate == 0
            if zero == "first" and number % accumulate == 1 % accumulate:
                self.optimizer.zero_grad()
            self.backward()
            if step:
                self.optimizer.step()
            if step and zero == "before":
                self.optimizer.zero_grad()
            for _ in range(scheduled(step)):
                self.scheduler.step()
            if step and zero == "after":
                self.optimizer.zero_grad()


@pytest.fixture
def silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def refused(words, call):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert len(str(caught.value)) < 400
    return str(caught.value)


# --- An optimizer that is not the plan's


def test_groups_of_other_names():
    run = Run()
    groups = grouper.param_groups(run.model, grouper.parse("* -> all lr=1"))
    words = (
        r"it has no group `bias`, `weight`; the plan has no group `all`; build both from the same"
    )
    refused(words, lambda: run.plan.scheduler(torch.optim.SGD(groups)))
    refused(words, lambda: run.plan.apply(torch.optim.SGD(groups), 3))
    plain = torch.optim.SGD(run.model.parameters(), lr=0.1)
    refused(r"a group without a name \(6 tensors\)", lambda: run.plan.scheduler(plain))
    named = torch.optim.SGD(run.model.named_parameters(), lr=0.1)
    refused(
        r"a group without a name \(`\{0..2\}.\{weight,bias\}`\)",
        lambda: run.plan.scheduler(named),
    )


def test_groups_of_the_same_names_with_other_parameters():
    run = Run()
    other = grouper.parse(RULES.replace("*.bias ->", "*.bias or 1.* ->"))
    built = grouper.build_optimizer(run.model, other)
    refused(
        "group `bias` has `1.weight`, which the plan does not have",
        lambda: run.plan.scheduler(built),
    )
    less = grouper.build_optimizer(run.model, grouper.parse(RULES + "in 2 -> freeze"))
    refused("group `bias` lacks `2.bias`", lambda: run.plan.scheduler(less))
    counted = [
        {"params": list(run.model.parameters())[:n], "name": name, "lr": 0.1}
        for name, n in [("bias", 3)]
    ]
    counted.append({"params": list(run.model.parameters())[3:5], "name": "weight", "lr": 0.1})
    refused(
        "group `weight` has 2 tensors and the plan's has 3",
        lambda: run.plan.scheduler(torch.optim.SGD(counted)),
    )


def test_groups_of_the_same_names_with_other_rates():
    run = Run()
    other = grouper.build_optimizer(run.model, grouper.parse(RULES, base=0.2))
    refused(
        "built from other rules: its group `bias` has lr=0.2 and the plan has lr=0.1",
        lambda: run.plan.scheduler(other),
    )
    for group in run.optimizer.param_groups:  # scaled by hand, which the plan would undo
        group["lr"] *= 8
        group.pop("initial_lr")
    refused("built from other rules", lambda: run.plan.scheduler(run.optimizer))


def test_a_momentum_that_the_rules_warm_up_and_do_not_say():
    made, rules = model(), grouper.parse("warmup steps=5 momentum=0.5\n* -> all lr=0.1")
    plan = grouper.plan(made, rules, steps_per_epoch=5, epochs=2)
    with_momentum = torch.optim.SGD(grouper.param_groups(made, rules), momentum=0.9)
    refused(
        "warm up the momentum of the group `all` and do not set it: write `momentum=0.9`",
        lambda: plan.scheduler(with_momentum),
    )
    betas = torch.optim.AdamW(grouper.param_groups(made, rules))
    refused(r"write `betas=\(0.9, 0.999\)`", lambda: plan.scheduler(betas))
    plan.scheduler(torch.optim.SGD(grouper.param_groups(made, rules)))  # it has none


def test_names_of_wrapped_models_are_the_plans(silent):
    run = Run()
    prefixes = "module._orig_mod.", "_orig_mod.", "module."
    for prefix in prefixes:
        groups = grouper.param_groups(run.model, run.rules)
        for group in groups:
            group["params"] = [(prefix + name, tensor) for name, tensor in group["params"]]
        run.plan.scheduler(torch.optim.SGD(groups))
    groups = grouper.param_groups(run.model, run.rules)
    for group in groups:
        group["params"] = [
            (name.replace("0.", "0._checkpoint_wrapped_module."), t) for name, t in group["params"]
        ]
    run.plan.scheduler(torch.optim.SGD(groups))


def without_names(state):
    """A state as older runs and other tools save it."""
    groups = [{k: v for k, v in g.items() if k != "param_names"} for g in state["param_groups"]]
    return {**state, "param_groups": groups}


def test_a_state_that_torch_loaded_by_position():
    run = Run()
    swapped = RULES.replace(
        "*.bias -> bias warmup_start=0.2; else -> weight",
        "not *.bias -> weight; *.bias -> bias warmup_start=0.2",
    )
    saved = Run(swapped)
    saved.batch()
    run.batch()
    run.optimizer.load_state_dict(without_names(saved.optimizer.state_dict()))
    refused(
        "parameters of the group `bias` are in the group `weight` since a state was loaded: torch's"
        " `load_state_dict` goes by position: restore with `grouper.load_optimizer_state`",
        run.scheduler.step,
    )


def test_a_state_that_brings_the_options_of_other_rules_along():
    run, saved = Run(), Run(RULES.replace("base = 0.1", "base = 0.2"))
    saved.batch()
    run.optimizer.load_state_dict(without_names(saved.optimizer.state_dict()))
    refused("has lr=0.2 and the plan has lr=0.1", run.scheduler.step)
    run = Run()
    run.optimizer.load_state_dict(saved.optimizer.state_dict())
    run.scheduler.step()
    run = Run()
    grouper.load_optimizer_state(run.optimizer, saved.optimizer.state_dict())
    run.scheduler.step()


# --- Groups that come behind the plan's back


def test_groups_added():
    run = Run()
    run.batch()
    run.scheduler.step()
    extra = nn.Parameter(torch.ones(1))
    run.optimizer.add_param_group({"params": [("extra.x", extra)], "name": "extra"})
    refused("the plan has no group `extra`", run.scheduler.step)
    run = Run()
    run.optimizer.add_param_group({"params": [("extra.x", extra)]})
    refused(r"a group without a name \(`extra.x`\)", run.scheduler.step)
    run = Run()
    run.optimizer.param_groups[0]["params"].append(extra)
    run.optimizer.param_groups[0]["param_names"].append("extra.x")
    refused("group `bias` has `extra.x`, which the plan does not have", run.scheduler.step)
    run = Run()
    del run.optimizer.param_groups[1]
    refused("it has no group `weight`", run.scheduler.step)


# --- Another optimizer stepping


def test_another_optimizer_in_its_place():
    run = Run()
    second = grouper.build_optimizer(run.model, run.rules)  # the loop has this one
    run.backward()
    second.step()
    refused(
        r"another optimizer \(SGD\) was stepped in place of the scheduler's.*make the scheduler",
        run.scheduler.step,
    )


def test_another_optimizer_beside_it(silent):
    run, other = Run(), Run()
    for _ in range(20):  # of another model, as in a GAN, several times for each of ours
        other.batch()
        other.batch()
        run.batch()
        run.scheduler.step()
        other.scheduler.step()
    second = torch.optim.Adam(run.model.parameters(), lr=0.1)
    for _ in range(20):  # of the same parameters, beside ours
        run.batch()
        second.step()
        run.scheduler.step()


def test_a_wrapper_that_shares_the_groups(silent):
    class Wrapper(torch.optim.Optimizer):
        """As SAM: an optimizer around an optimizer."""

        def __init__(self, base):
            super().__init__(base.param_groups, base.defaults)
            self.base = base
            self.param_groups = base.param_groups

        def step(self, closure=None):
            return self.base.step(closure)

    run = Run()
    outer = Wrapper(run.optimizer)
    for optimizer in (run.optimizer, outer):
        scheduler = run.plan.scheduler(optimizer)
        for _ in range(20):
            run.backward()
            outer.step()
            scheduler.step()


# --- A scheduler stepped twice per batch


@pytest.mark.parametrize("accumulate", [1, 2, 3])
@pytest.mark.parametrize("zero", ["first", "before", "after"])
def test_twice_a_batch(accumulate, zero):
    run = Run()

    def loop():
        run.accumulated(39, accumulate, zero, lambda step: 2)

    refused("the scheduler is stepped twice per batch: 6 times in a row", loop)
    assert run.scheduler.last_epoch < 14


@pytest.mark.filterwarnings("ignore:.scheduler.step.. comes before")
def test_once_inside_the_batch_and_once_by_a_framework():
    run = Run()

    def loop():
        for _ in range(40):
            run.scheduler.step()
            run.batch()
            run.scheduler.step()

    refused("stepped twice per batch", loop)


def test_beyond_the_plan():
    run = Run(steps_per_epoch=5, epochs=2)
    for _ in range(10):
        run.batch()
        run.scheduler.step()
    run.batch()
    with pytest.warns(
        UserWarning, match=r"step 11 is beyond the plan's 10 steps \(2 epochs of 5\)"
    ):
        run.scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(4):
            run.batch()
            run.scheduler.step()
    run.batch()
    refused("step 16 is beyond the plan's 10 steps", run.scheduler.step)


# --- Two owners of lr


def test_a_second_scheduler():
    run = Run()
    plateau = lr_scheduler.ReduceLROnPlateau(run.optimizer, patience=0, factor=0.5)
    run.batch()
    run.scheduler.step()
    plateau.step(1.0), plateau.step(2.0)
    refused(
        "something else changed the lr of the group `bias` from 0.18 to 0.09 since step 1, and the"
        " plan would undo it",
        run.scheduler.step,
    )


def test_a_loop_that_warms_up_itself():
    run = Run()
    for group in run.optimizer.param_groups:
        group["momentum"] = 0.8
    refused("changed the momentum of the group `bias` from 0.5 to 0.8", run.scheduler.step)


def test_two_plans_schedulers():
    run = Run()
    run.batch()
    run.scheduler.step()
    run.plan.scheduler(run.optimizer)
    refused("something else changed the lr", run.scheduler.step)


# --- Loops that are right


@pytest.mark.parametrize("accumulate", [1, 2, 4])
@pytest.mark.parametrize("zero", ["first", "before", "after"])
@pytest.mark.parametrize("by_batch", [True, False])
def test_accumulation_by_batches_and_by_steps(by_batch, accumulate, zero, silent):
    Run().accumulated(100, accumulate, zero, lambda step: step or by_batch)


@pytest.mark.parametrize("skipped", [{0}, {0, 1, 2, 3}, {3, 5, 7, 9}, set(range(20))])
@pytest.mark.parametrize("zero", [True, False])
def test_a_scaler_that_skips_steps(skipped, zero, silent):
    run = Run()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for number in range(40):
        loss = run.model(torch.ones(2, 3)).square().mean()
        if number in skipped:
            loss = loss * float("inf")
        scaler.scale(loss).backward()
        scaler.step(run.optimizer)
        scaler.update()
        if zero:
            run.optimizer.zero_grad()
        run.scheduler.step()
        run.optimizer.zero_grad()


def test_batches_that_are_skipped(silent):
    run = Run()
    for number in range(60):
        if number % 3 != 2:
            run.batch()
        run.scheduler.step()


def test_going_forward_to_where_a_run_stopped(silent):
    run = Run()
    for _ in range(50):
        run.scheduler.step()
    for _ in range(20):
        run.batch()
        run.scheduler.step()


@pytest.mark.parametrize("order", ["optimizer first", "scheduler first", "scheduler made last"])
def test_resumed_runs(order, silent):
    first = Run()
    for _ in range(3):
        first.batch()
        first.scheduler.step()
    second = Run()
    second.model.load_state_dict(first.model.state_dict())
    if order == "scheduler first":
        second.scheduler.load_state_dict(first.scheduler.state_dict())
    second.optimizer.load_state_dict(copy.deepcopy(first.optimizer.state_dict()))
    if order == "scheduler made last":
        second.scheduler = second.plan.scheduler(second.optimizer)
    if order != "scheduler first":
        second.scheduler.load_state_dict(first.scheduler.state_dict())
    for run in (first, second):
        for _ in range(20):
            run.batch()
            run.scheduler.step()
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_schedule_that_changed_between_the_runs(silent):
    first = Run()
    for _ in range(60):
        first.batch()
        first.scheduler.step()
    for last in ("optimizer", "scheduler"):
        second = Run(RULES.replace("linear", "cosine"), steps_per_epoch=100)
        if last == "optimizer":
            second.scheduler.load_state_dict(first.scheduler.state_dict())
        second.optimizer.load_state_dict(first.optimizer.state_dict())
        if last == "scheduler":
            second.scheduler.load_state_dict(first.scheduler.state_dict())
        second.batch()
        second.scheduler.step()
        assert second.scheduler.get_last_lr()[0] == second.plan.at(61)["bias"]["lr"]


def test_processes_may_step_it_once_for_each_of_them(monkeypatch, silent):
    run = Run()
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    for _ in range(20):
        run.batch()
        run.scheduler.step()
        run.scheduler.step()
