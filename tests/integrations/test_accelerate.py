"""Accelerate's own Accelerator, by rules: real runs, saved, loaded, on several ranks, misused."""

import contextlib
import json
import math
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
accelerate = pytest.importorskip("accelerate")

from support.torchrun import launch  # noqa: E402
from support.trainer_cases import (  # noqa: E402
    by_name,
    equal,
    moments,
    no_grouping_warning,
    ordered,
    reordered,
    same_moments,
)
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.integrations.accelerate import steps  # noqa: E402

HERE = Path(__file__).parent
RULES = """
optimizer AdamW lr=1e-2
warmup steps=3
schedule linear after=warmup
else ndim >= 2 -> decay weight_decay=0.1
else -> rest weight_decay=0
"""
LAYERS = ("layers.0.*", "layers.1.*")
BATCHES, EPOCHS = 11, 3


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).tanh()
        return self.head(x)


def loader(batches=BATCHES):
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(batches * 4, 4, generator=generator)
    return torch.utils.data.DataLoader(data, batch_size=4)


def by_hand(model, length):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-2)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: n / 3 if n < 3 else max(0.0, (length - n) / (length - 3))
    )


def by_rules(text=RULES):
    return lambda model, length: grouper.build(model, grouper.parse(text), steps=length)


@pytest.fixture(autouse=True)
def _nothing_is_running():
    forget()


def forget():
    """Accelerate keeps one state for a process; each test begins without."""
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
    accelerate.state.GradientState._reset_state()


class Run:
    """A model and what `prepare` made of it, its optimizer, its loader and its scheduler."""

    def __init__(self, build, accumulate=1, **options):
        self.accelerator = accelerate.Accelerator(
            cpu=True, gradient_accumulation_steps=accumulate, **options
        )
        self.bare = Net()
        length = steps(loader(), accumulate, EPOCHS)
        made = self.accelerator.prepare(
            self.bare, *build(self.bare, length), loader()
        )  # fmt: skip
        self.model, self.optimizer, self.scheduler, self.loader = made
        self.done = 0

    def train(self, until=EPOCHS * BATCHES):
        """Go on to a batch, counted over all epochs."""
        while self.done < until:
            skipped = self.done % BATCHES
            batches = self.accelerator.skip_first_batches(self.loader, skipped)
            for batch in batches:
                with self.accelerator.accumulate(self.model):
                    loss = (self.model(batch) - batch.sum(1, keepdim=True)).square().mean()
                    self.accelerator.backward(loss)
                    self.accelerator.clip_grad_norm_(self.model.parameters(), 1.0)
                    self.optimizer.step()
                    self.scheduler.step()
                    self.optimizer.zero_grad()
                self.done += 1
                if self.done == until:
                    break
        return self


@pytest.mark.parametrize(
    ("accumulate", "precision"), [(1, "no"), (3, "no"), (4, "no"), (2, "bf16")]
)
def test_a_run_is_that_of_hand_written_groups_to_the_bit(accumulate, precision):
    own = Run(by_hand, accumulate, mixed_precision=precision).train()
    with no_grouping_warning():
        ours = Run(by_rules(), accumulate, mixed_precision=precision).train()
    assert equal(own.bare, ours.bare)
    assert not equal(own.bare, Net())
    plan = ours.scheduler.scheduler.plan
    assert ours.scheduler.scheduler.last_epoch == plan.steps == math.ceil(11 / accumulate) * 3
    assert ours.optimizer.param_groups[0]["lr"] == 0


@pytest.mark.parametrize("accumulate", [1, 3])
def test_saved_and_loaded_it_goes_on_to_the_bit(tmp_path, accumulate):
    whole = Run(by_hand, accumulate).train()
    Run(by_rules(), accumulate).train(until=14).accelerator.save_state(tmp_path)
    resumed = Run(by_rules(), accumulate)
    with no_grouping_warning():
        resumed.accelerator.load_state(tmp_path)
    resumed.done = 14
    assert equal(whole.bare, resumed.train().bare)


def interrupted(text, folder):
    run = Run(by_rules(text)).train(until=15)
    run.accelerator.save_state(folder)
    return by_name(torch.load(folder / "optimizer.bin"))


def test_after_changed_rules_every_moment_is_with_its_parameter(tmp_path):
    saved = interrupted(ordered(*LAYERS), tmp_path)
    resumed = Run(by_rules(reordered(*LAYERS)))
    with no_grouping_warning():
        resumed.accelerator.load_state(tmp_path)
    assert same_moments(moments(resumed.bare, resumed.optimizer), saved)
    lrs = {g["name"]: g["lr"] for g in resumed.optimizer.param_groups}
    assert lrs == {n: v["lr"] for n, v in resumed.scheduler.scheduler.plan.at(15).items()}
    assert list(lrs) == ["second", "first", "rest"]
    resumed.done = 15
    assert equal(resumed.train().bare, Run(by_rules(ordered(*LAYERS))).train().bare)


def test_a_control_by_position_gives_moments_to_others(tmp_path):
    saved = interrupted(ordered(*LAYERS), tmp_path)

    def control(model, length):
        groups = grouper.param_groups(model, grouper.parse(reordered(*LAYERS)))
        optimizer = torch.optim.AdamW(groups)
        return optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer)

    resumed = Run(control)
    with contextlib.suppress(KeyError):
        resumed.accelerator.load_state(tmp_path)
    state = moments(resumed.bare, resumed.optimizer)
    assert state.keys() == saved.keys()
    assert not same_moments(state, saved)


def test_what_is_new_and_dropped_is_said(tmp_path):
    interrupted(RULES, tmp_path)
    run = Run(by_rules(RULES + "head.* -> freeze\n"))
    with pytest.warns(grouper.GroupingWarning, match=r"2 dropped(.|\n)*head"):
        run.accelerator.load_state(tmp_path)


# --- How long a run is


@pytest.mark.parametrize("accumulate", [1, 2, 3, 11, 12])
def test_steps_are_counted_before_and_after_prepare(accumulate):
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=accumulate)
    expected = math.ceil(11 / accumulate) * 3
    assert steps(loader(), accumulate, 3) == expected
    assert steps(accelerator.prepare(loader()), accumulate, 3) == expected


def test_several_processes_step_once_for_each_of_them(monkeypatch):
    accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    state = accelerate.PartialState()
    monkeypatch.setattr(type(state), "num_processes", 4, raising=False)
    monkeypatch.setitem(state.__dict__, "num_processes", 4)
    assert steps(loader(), 2, 3) == math.ceil(math.ceil(11 / 4) / 2) * 3 * 4
    assert steps(loader(), 2, 3, split_batches=True) == math.ceil(11 / 2) * 3


def test_what_cannot_be_counted_is_said(monkeypatch):
    accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
    with pytest.raises(ValueError, match=r"accumulates over 2 batches .*`steps\(loader, 2, epochs"):
        steps(loader(), 4, 3)
    with pytest.raises(ValueError, match="`epochs` must be a positive integer, not 0"):
        steps(loader(), 2, 0)
    with pytest.raises(TypeError, match="no length: give the run's number of steps"):
        steps(iter(()), 2, 1)
    monkeypatch.setattr(accelerate.PartialState, "_shared_state", {})
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="make the Accelerator first"):
        steps(loader(), 2, 1)


# --- Wrong uses


def test_a_plan_by_batch_with_accumulation_is_said_at_the_first_step():
    def build(model, length):
        return grouper.build(model, grouper.parse(RULES), steps_per_epoch=BATCHES, epochs=EPOCHS)

    with pytest.warns(grouper.GroupingWarning, match=r"which are batches.*steps_per_epoch=4"):
        Run(build, 3).train(until=4)
    with no_grouping_warning():
        Run(build, 1).train(until=4)


def test_a_second_owner_of_the_lr_is_refused():
    run = Run(by_rules()).train(until=1)
    run.optimizer.param_groups[0]["lr"] = 1.0
    with pytest.raises(ValueError, match="something else changed the lr of the group `decay`"):
        run.train(until=2)


def test_an_optimizer_of_other_rules_and_rules_for_another_model():
    def mixed(model, length):
        other = grouper.build_optimizer(model, grouper.parse(RULES.replace("1e-2", "1e-3")))
        return other, grouper.plan(model, grouper.parse(RULES), steps=length).scheduler(other)

    with pytest.raises(ValueError, match="the optimizer was built from other rules"):
        Run(mixed)
    with pytest.raises(grouper.GroupingError, match="matches no parameter"):
        Run(by_rules("optimizer SGD lr=1; backbone.* -> a; else -> b"))


def test_another_optimizer_that_is_stepped_in_its_place():
    run = Run(by_rules())
    other = torch.optim.SGD(run.bare.parameters(), lr=0.1)
    run.bare(torch.ones(1, 4)).sum().backward()
    other.step()
    with pytest.raises(ValueError, match=r"another optimizer \(SGD\) was stepped in place"):
        run.scheduler.step()


def test_a_scheduler_of_the_wrapped_or_of_the_bare_optimizer_is_one():
    run = Run(by_rules())
    again = run.scheduler.scheduler.plan.scheduler(run.optimizer)
    assert again.get_last_lr() == run.scheduler.get_last_lr()
    assert grouper.check(run.model, grouper.parse(RULES)).ok


# --- Several processes


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Runs of one process on whole batches: groups and weights, by way."""
    sys.path.insert(0, str(HERE))
    import accelerated

    folder = tmp_path_factory.mktemp("alone")
    for way in ("ddp", "trainer"):
        forget()
        accelerated.main(way, folder)
    return folder


@pytest.mark.parametrize(
    ("way", "ranks"),
    [
        ("ddp", 2),
        ("ddp", 4),
        ("fsdp2", 2),
        pytest.param("fsdp2", 4, marks=pytest.mark.nightly),
        ("trainer", 2),
        pytest.param("trainer", 4, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.slow
def test_ranks_have_equal_groups_and_the_weights_of_one_process(way, ranks, alone, tmp_path):
    launch(HERE / "accelerated.py", ranks, way, tmp_path, ACCELERATE_USE_CPU="true")
    like = alone / ("trainer0" if way == "trainer" else "ddp0")
    groups, ended = json.loads(like.with_suffix(".json").read_text())
    one = torch.load(like.with_suffix(".pt"))
    assert ended
    first = torch.load(tmp_path / f"{way}0.pt")
    for rank in range(ranks):
        assert json.loads((tmp_path / f"{way}{rank}.json").read_text()) == [groups, True]
        weights = torch.load(tmp_path / f"{way}{rank}.pt")
        if weights or way != "fsdp2":  # Accelerate gathers shards on the first rank alone
            assert all(torch.equal(weights[name], first[name]) for name in one)
    for name in one:
        torch.testing.assert_close(first[name], one[name], rtol=1e-5, atol=1e-6)
