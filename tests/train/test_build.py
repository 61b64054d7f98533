"""Optimizer and scheduler in one call, runs in steps, bare groups, and norms that stand still."""

import copy
import io
import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402

RULES = """
optimizer AdamW lr=1e-2 weight_decay=0.01
warmup steps=4
schedule linear final=0.1 every=step
else *.bias -> bias weight_decay=0
else -> weight
"""


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def test_both_in_one_call_are_those_of_three_calls():
    rules = grouper.parse(RULES)
    one, other = model(), model()
    optimizer, scheduler = grouper.build(one, rules, steps=20)
    by_hand = grouper.build_optimizer(other, rules)
    plan = grouper.plan(other, rules, steps_per_epoch=20, epochs=1)
    its = plan.scheduler(by_hand)
    assert scheduler.plan == grouper.plan(other, rules, steps=20)
    for _ in range(20):
        for each, how, clock in [(one, optimizer, scheduler), (other, by_hand, its)]:
            how.zero_grad()
            each(torch.ones(2, 3)).square().mean().backward()
            how.step()
            clock.step()
        assert scheduler.get_last_lr() == its.get_last_lr()
    assert all(map(torch.equal, one.parameters(), other.parameters()))


def test_a_run_in_steps_says_so():
    plan = grouper.plan(model(), grouper.parse(RULES), steps=20)
    assert (plan.steps, plan.in_steps, plan.length) == (20, True, "20 steps")
    _, scheduler = grouper.build(model(), grouper.parse(RULES), steps=20)
    saved = scheduler.state_dict()
    with pytest.warns(UserWarning, match="the run had 20 steps when this was saved and has 30"):
        grouper.build(model(), grouper.parse(RULES), steps=30)[1].load_state_dict(saved)
    scheduler.load_state_dict({"last_epoch": 45})
    with pytest.raises(ValueError, match=r"beyond the plan's 20 steps: .* needs more `steps`"):
        scheduler.step()


def test_rules_that_count_epochs_are_refused_and_the_model_is_as_it_was():
    text = "optimizer SGD lr=1; warmup epochs=2; 0.* -> freeze; else -> rest"
    made = model()
    with pytest.raises(ValueError, match=r"a run of steps alone has no epochs.*`warmup epochs`"):
        grouper.build(made, grouper.parse(text), steps=20)
    assert all(parameter.requires_grad for parameter in made.parameters())
    grouper.build(made, grouper.parse(text), steps_per_epoch=10, epochs=2)
    assert not made[0].weight.requires_grad


@pytest.mark.parametrize(
    "length", [{}, {"epochs": 2}, {"steps": 2, "epochs": 2}, {"steps": 2.0}, {"steps": True}]
)
def test_the_length_of_a_run_is_said_once(length):
    for call in (grouper.plan, grouper.build):
        with pytest.raises(
            TypeError, match=r"the length of a run is `steps`, or|an integer of at least 1"
        ):
            call(model(), grouper.parse(RULES), **length)


class LooksAtKeys(torch.optim.SGD):
    """As the reference implementation of Muon does."""

    def __init__(self, groups, lr=0.1, weight_decay=0.0):
        for group in groups:
            assert group.keys() == {"params", "lr", "weight_decay"}
            assert all(isinstance(tensor, torch.Tensor) for tensor in group["params"])
        super().__init__(groups, lr=lr)


def test_bare_groups_for_classes_that_look_at_the_keys(monkeypatch):
    monkeypatch.setattr("torch.optim.LooksAtKeys", LooksAtKeys, raising=False)
    text = RULES.replace(
        "AdamW lr=1e-2 weight_decay=0.01", "torch.optim:LooksAtKeys lr=0.1 weight_decay=0.1"
    )
    with pytest.raises(ValueError, match=r"AssertionError.*keys are `params`, `name`.*names=False"):
        grouper.build_optimizer(model(), grouper.parse(text))
    optimizer, scheduler = grouper.build(model(), grouper.parse(text), steps=9, names=False)
    assert "name" not in optimizer.param_groups[0]
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == scheduler.plan.at(1)["bias"]["lr"] > 0
    other = grouper.param_groups(model(), grouper.parse(RULES), names=False)
    assert [set(group) for group in other] == [{"params", "lr", "weight_decay"}] * 2


def test_bare_groups_of_other_sizes_are_not_the_plans():
    rules = grouper.parse(RULES)
    bare = grouper.param_groups(model(), rules, names=False)
    bare[0]["params"].append(bare[1]["params"].pop())
    plan = grouper.plan(model(), rules, steps=9)
    with pytest.raises(ValueError, match="it has a group without a name"):
        plan.scheduler(torch.optim.AdamW(bare))


class WithNorms(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.BatchNorm1d(4))
        self.plain = nn.BatchNorm1d(4, affine=False)
        self.head = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))

    def forward(self, x):
        return self.head(self.plain(self.backbone(x)))


FROZEN = "backbone.{0,1}.* -> freeze; else -> rest lr=0.1"


def test_frozen_norms_stand_still_until_that_is_undone():
    made = WithNorms()
    report = grouper.check(made, grouper.parse(FROZEN))
    handle = grouper.freeze_statistics(made, report)
    assert handle.modules == ("backbone.1",)
    still = copy.deepcopy(made.backbone[1].state_dict())
    for _ in range(3):
        made.train()
        made(torch.randn(8, 3))
    made.eval()
    made.train()
    assert [m.training for m in (made, made.backbone[1], made.backbone[2])] == [True, False, True]
    assert all(torch.equal(still[key], made.backbone[1].state_dict()[key]) for key in still)
    assert made.backbone[2].num_batches_tracked == made.plain.num_batches_tracked == 3
    handle.remove()
    handle.remove()
    assert made.backbone[1].training
    made(torch.randn(8, 3))
    assert made.backbone[1].num_batches_tracked == 1


def test_frozen_norms_survive_copies_pickles_and_a_with_block():
    made = WithNorms()
    with grouper.freeze_statistics(made, grouper.parse(FROZEN)):
        file = io.BytesIO()
        torch.save(made, file)
        file.seek(0)
        loaded = torch.load(file, weights_only=False)
        for each in (copy.deepcopy(made), loaded, pickle.loads(pickle.dumps(made))):
            each.train()
            assert not each.backbone[1].training
            assert each.backbone[2].training
            assert each.backbone[1].train() is each.backbone[1]
    assert made.backbone[1].training
    assert "train" not in vars(made.backbone[1])


def test_a_wrapped_model_is_seen_through():
    made = WithNorms()
    report = grouper.check(made, grouper.parse(FROZEN))
    compiled = torch.compile(made, backend="eager")
    grouper.freeze_statistics(compiled, report)
    compiled.train()
    assert not made.backbone[1].training


def test_no_warning_where_all_is_right():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer, _ = grouper.build(model(), grouper.parse(RULES), steps=50)
        optimizer.load_state_dict(optimizer.state_dict())


def test_betas_of_whole_numbers_are_built():
    text = "optimizer Adam lr=1e-4 betas=(0, 0.9)\nbias -> b betas=(0, 0.99)\nelse -> w"
    optimizer = grouper.build_optimizer(nn.Linear(2, 2), grouper.parse(text))
    assert [group["betas"] for group in optimizer.param_groups] == [(0.0, 0.99), (0.0, 0.9)]
