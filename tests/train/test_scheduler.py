"""The plan's scheduler: it is the plan, whoever steps it and wherever it goes on from."""

import copy
import json
import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from support.torchvision_stub import define_operators  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

import grouper  # noqa: E402

RULES = """
optimizer SGD lr=0.1 momentum=0.9
warmup steps=5 start=0 momentum=0.5
schedule cosine final=0.1 every=step
split kind {
    *.bias -> bias warmup_start=0.2
    else   -> weight weight_decay=0.01
}
"""


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def run(text=RULES, steps_per_epoch=4, epochs=5):
    made, rules = model(), grouper.parse(text)
    optimizer = grouper.build_optimizer(made, rules)
    plan = grouper.plan(made, rules, steps_per_epoch=steps_per_epoch, epochs=epochs)
    return made, optimizer, plan


def batch(made, optimizer):
    optimizer.zero_grad()
    made(torch.ones(2, 3)).square().mean().backward()
    optimizer.step()


def values(optimizer):
    """What the optimizer will use, as the plan says it."""
    found = {}
    for group in optimizer.param_groups:
        momentum = group["momentum"] if "momentum" in group else group["betas"][0]
        found[group["name"]] = {"lr": group["lr"], "momentum": momentum}
    return found


number = st.floats(0, 2).map(lambda x: round(x, 3))
share = st.floats(0.01, 0.99).map(lambda x: round(x, 3))
CLOCK = st.sampled_from(["", " every=epoch", " every=step"])
SCHEDULES = st.one_of(
    st.just("constant"),
    st.builds("{} final={}".format, st.sampled_from(["linear", "cosine"]), share),
    st.builds("step size={} gamma={}".format, st.integers(1, 5), share),
    st.builds(
        "step milestones={}".format,
        st.lists(st.integers(0, 9), min_size=2, max_size=4).map(lambda m: tuple(sorted(m))),
    ),
    st.builds("exponential gamma={}".format, share),
    st.builds("exponential final={}".format, share),
    st.builds("polynomial power={} final={}".format, st.integers(1, 3), share),
    st.builds("wsd decay={} final={}".format, share, share),
    st.builds("inverse_sqrt scale={}".format, st.integers(1, 9)),
)
WARMUPS = st.one_of(
    st.just(""),
    st.builds("warmup steps={} start={} momentum={}".format, st.integers(0, 30), number, share),
    st.builds("warmup epochs={} min_steps={}".format, st.floats(0, 4), st.integers(0, 12)),
)
OWN = st.lists(
    st.one_of(
        st.builds("lr={}".format, number),
        st.builds("warmup_start={}".format, number),
        st.builds("warmup_steps={}".format, st.integers(0, 30)),
        st.builds("warmup_momentum={}".format, share),
        st.just("schedule=linear final=0.2"),
        st.just("schedule=constant"),
    ),
    max_size=3,
    unique_by=lambda option: option.split("=")[0],
).map(" ".join)
OPTIMIZERS = st.sampled_from(
    ["SGD lr=0.1 momentum=0.9", "AdamW lr=0.01 betas=(0.9, 0.99)", "RMSprop lr=1 momentum=0.5"]
)


@settings(max_examples=60)
@given(OPTIMIZERS, WARMUPS, SCHEDULES, CLOCK, OWN, OWN, st.integers(1, 6), st.integers(1, 5))
def test_the_scheduler_is_the_plan(optimizer, warmup, schedule, clock, a, b, per_epoch, epochs):
    text = (
        f"optimizer {optimizer}\n{warmup}\nschedule {schedule}{clock}\n"
        f"split kind {{ *.bias -> bias {a}; else -> weight {b} }}"
    )
    made, built, plan = run(text, per_epoch, epochs)
    scheduler = plan.scheduler(built)
    curves = plan.over(range(plan.steps + 1))
    for step in range(plan.steps + 1):
        assert values(built) == plan.at(step)
        lasts = [group["lr"] for group in built.param_groups]
        assert scheduler.get_last_lr() == scheduler.get_lr() == lasts
        assert scheduler.last_epoch == step
        for name, curve in curves.items():
            assert {key: line[step] for key, line in curve.items()} == plan.at(step)[name]
        if step < plan.steps:
            batch(made, built)
            scheduler.step()


def test_the_state_is_small_and_readable():
    made, optimizer, plan = run()
    scheduler = plan.scheduler(optimizer)
    for _ in range(3):
        batch(made, optimizer)
        scheduler.step()
    state = json.loads(json.dumps(scheduler.state_dict()))
    assert state == {"last_epoch": 3, "steps_per_epoch": 4, "epochs": 5}
    _, fresh, _ = run()
    other = plan.scheduler(fresh)
    other.load_state_dict(state)
    assert values(fresh) == plan.at(3)
    assert other.get_last_lr() == scheduler.get_last_lr()


def test_a_state_goes_to_any_step_and_says_where_epochs_changed():
    _, optimizer, plan = run()
    scheduler = plan.scheduler(optimizer)
    scheduler.load_state_dict({"last_epoch": 7})
    assert values(optimizer) == plan.at(7)
    with pytest.warns(UserWarning, match="an epoch had 9 steps .* and has 4 now"):
        scheduler.load_state_dict({"last_epoch": 7, "steps_per_epoch": 9, "epochs": 5})
    native = lr_scheduler.ConstantLR(torch.optim.SGD(model().parameters(), lr=1))
    with pytest.raises(ValueError, match="not the state of a plan's scheduler"):
        scheduler.load_state_dict(native.state_dict())


@pytest.mark.parametrize("stop", range(20))
@pytest.mark.parametrize("how", ["saved", "pickled", "copied"])
def test_a_run_goes_on_bit_for_bit_however_it_was_kept(stop, how, tmp_path):
    def go(made, optimizer, scheduler, steps):
        for _ in range(steps):
            batch(made, optimizer)
            scheduler.step()

    made, optimizer, plan = run()
    whole = made, optimizer, plan.scheduler(optimizer)
    go(*whole, 20)
    made, optimizer, plan = run()
    first = made, optimizer, plan.scheduler(optimizer)
    go(*first, stop)
    if how == "copied":
        second = copy.deepcopy(first)
    elif how == "pickled":
        second = pickle.loads(pickle.dumps(first))
    else:
        made, optimizer, plan = run()
        second = made, optimizer, plan.scheduler(optimizer)
        torch.save([part.state_dict() for part in first], tmp_path / "last.pt")
        for part, state in zip(second, torch.load(tmp_path / "last.pt"), strict=True):
            part.load_state_dict(state)
    go(*second, 20 - stop)
    for one, other in zip(whole[0].parameters(), second[0].parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.isfinite().all()


@pytest.mark.parametrize("milestone", [1, 6])
def test_it_stands_first_and_second_in_a_sequence(milestone):
    made, optimizer, plan = run()
    scheduler = plan.scheduler(optimizer)
    constant = lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=100)
    chain = lr_scheduler.SequentialLR(optimizer, [scheduler, constant], milestones=[milestone])
    for step in range(12):
        lrs = [plan.at(step)[name]["lr"] for name in ("bias", "weight")]
        assert chain.get_last_lr() == (lrs if step < milestone else [0.05, 0.05])
        batch(made, optimizer)
        chain.step()

    made, optimizer, plan = run()
    warm = lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=100)
    scheduler = plan.scheduler(optimizer)
    chain = lr_scheduler.SequentialLR(optimizer, [warm, scheduler], milestones=[milestone])
    for step in range(12):
        if step < milestone:
            assert chain.get_last_lr() == [0.05, 0.05]
        else:
            assert values(optimizer) == plan.at(step - milestone)
        batch(made, optimizer)
        chain.step()
    state = chain.state_dict()
    chain.load_state_dict(state)
    assert scheduler.last_epoch == 12 - milestone


def test_tensors_stay_the_tensors_that_a_compiled_step_reads():
    made, rules = model(), grouper.parse(RULES.replace("SGD lr=0.1 momentum=0.9", "AdamW lr=0.1"))
    groups = grouper.param_groups(made, rules)
    for group in groups:
        group["lr"] = torch.tensor(group["lr"])
        group["betas"] = (torch.tensor(0.9), torch.tensor(0.99))
    optimizer = torch.optim.AdamW(groups, foreach=False)
    rules = grouper.parse(
        RULES.replace("SGD lr=0.1 momentum=0.9", "AdamW lr=0.1 betas=(0.9, 0.99)")
    )
    plan = grouper.plan(made, rules, steps_per_epoch=4, epochs=5)
    scheduler = plan.scheduler(optimizer)
    held = [(group["lr"], group["betas"][0]) for group in optimizer.param_groups]
    step = torch.compile(optimizer.step, backend="eager")
    for at in range(8):
        for (lr, beta), group in zip(held, optimizer.param_groups, strict=True):
            assert group["lr"] is lr
            assert group["betas"][0] is beta
            due = plan.at(at)[group["name"]]
            assert lr.item() == torch.tensor(due["lr"]).item()
            assert beta.item() == torch.tensor(due["momentum"]).item()
        lasts = scheduler.get_last_lr()
        assert all(last is not lr and last == lr for last, (lr, _) in zip(lasts, held, strict=True))
        made(torch.ones(2, 3)).square().mean().backward()
        step()
        scheduler.step()
        optimizer.zero_grad()
    held[0][0].fill_(3.0)
    with pytest.raises(ValueError, match="something else changed the lr of the group `bias` since"):
        scheduler.step()


def test_an_optimizer_may_have_stepped_before_and_have_a_scheduler_again():
    made, optimizer, plan = run()
    batch(made, optimizer)
    plan.scheduler(optimizer)
    scheduler = plan.scheduler(optimizer)
    assert values(optimizer) == plan.at(0)
    batch(made, optimizer)
    scheduler.step()
    assert values(optimizer) == plan.at(1)


def test_groups_may_stand_in_another_order():
    made, rules = model(), grouper.parse(RULES)
    groups = grouper.param_groups(made, rules)
    optimizer = torch.optim.SGD(list(reversed(groups)), lr=1.0)
    plan = grouper.plan(made, rules, steps_per_epoch=4, epochs=5)
    scheduler = plan.scheduler(optimizer)
    batch(made, optimizer)
    scheduler.step()
    for group in optimizer.param_groups:
        assert group["lr"] == plan.at(1)[group["name"]]["lr"]
    plan.apply(optimizer, 9)
    assert optimizer.param_groups[0]["lr"] == plan.at(9)["weight"]["lr"]


def test_it_takes_optimizers_alone():
    _, _, plan = run()
    with pytest.raises(TypeError, match="must be a torch optimizer"):
        plan.scheduler("optimizer")


def test_several_optimizers_follow_one_plan():
    text = (
        "optimizer SGD as rest lr=0.1 momentum=0.9\noptimizer AdamW as matrices lr=0.01\n"
        "warmup steps=3\nndim >= 2 -> matrix optimizer=matrices\nelse -> vector"
    )
    made, optimizer, plan = run(text)
    scheduler = plan.scheduler(optimizer)
    for step in range(6):
        members = optimizer.members
        assert members["rest"].param_groups[0]["lr"] == plan.at(step)["vector"]["lr"]
        assert members["matrices"].param_groups[0]["lr"] == plan.at(step)["matrix"]["lr"]
        batch(made, optimizer)
        scheduler.step()
    for _ in range(8):  # who steps the members steps the optimizer
        made(torch.ones(2, 3)).square().mean().backward()
        for member in optimizer.members.values():
            member.step()
        scheduler.step()


def test_the_order_of_steps_is_warned_about_only_where_it_is_wrong():
    made, optimizer, plan = run()
    scheduler = plan.scheduler(optimizer)
    scheduler.step()
    batch(made, optimizer)
    with pytest.warns(UserWarning, match="comes before `optimizer.step"):
        scheduler.step()
    batch(made, optimizer)
    scheduler.step()
    made, optimizer, plan = run()
    scheduler = plan.scheduler(optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(8):  # accumulated over two batches
            made(torch.ones(2, 3)).square().mean().backward()
            if number % 2:
                optimizer.step()
                optimizer.zero_grad()
            scheduler.step()


def test_accelerate_steps_it():
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    made, optimizer, plan = run(steps_per_epoch=4)
    made, optimizer, scheduler = accelerator.prepare(made, optimizer, plan.scheduler(optimizer))
    for number in range(16):
        with accelerator.accumulate(made):
            accelerator.backward(made(torch.ones(2, 3)).square().mean())
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
        assert values(optimizer) == plan.at((number + 1) // 2)
    assert scheduler.state_dict()["last_epoch"] == 8
    again = plan.scheduler(optimizer)  # of the wrapped one
    assert values(optimizer) == plan.at(0)
    made(torch.ones(2, 3)).square().mean().backward()
    optimizer.step()
    again.step()
    assert values(optimizer) == plan.at(1)


def test_lightning_steps_it(tmp_path):
    define_operators()
    lightning = pytest.importorskip("lightning.pytorch")
    seen = []

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net, self.optimizer, self.plan = run(steps_per_epoch=4, epochs=2)

        def training_step(self, rows, _):
            seen.append(values(self.optimizer))
            return self.net(rows).square().mean()

        def configure_optimizers(self):
            scheduler = self.plan.scheduler(self.optimizer)
            return [self.optimizer], [{"scheduler": scheduler, "interval": "step"}]

    def fit(module, epochs, checkpoint=None):
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", default_root_dir=tmp_path, logger=False,
            enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        )  # fmt: skip
        loader = torch.utils.data.DataLoader(torch.ones(8, 3), batch_size=2)
        trainer.fit(module, loader, ckpt_path=checkpoint, weights_only=False)
        return trainer

    first = Module()
    fit(first, 1).save_checkpoint(tmp_path / "last.ckpt")
    fit(Module(), 2, tmp_path / "last.ckpt")
    assert seen == [first.plan.at(step) for step in range(8)]
