"""Groups, optimizers and schedulers on live models, against torch's own."""

import copy

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

import grouper  # noqa: E402

SGD = """
optimizer SGD lr=0.1 momentum=0.9
warmup steps=5 start=0 momentum=0.5
schedule cosine final=0.1 every=step
split kind {
    *.bias -> bias warmup_start=0.2
    else   -> weight weight_decay=0.01
}
"""
ADAMW = SGD.replace("SGD lr=0.1 momentum=0.9", "AdamW lr=0.1 betas=(0.9, 0.99)")
TWO = """
optimizer SGD as rest lr=0.1 momentum=0.9
optimizer AdamW as matrices lr=0.01
ndim >= 2 -> matrix optimizer=matrices
else      -> vector
"""


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def train(made, optimizer, steps, scheduler=None, seed=1):
    torch.manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        made(torch.randn(5, 3)).square().mean().mul(0.1).backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
    return [p.detach().clone() for p in made.parameters()]


def equal(left, right):
    return all(torch.equal(a, b) and a.isfinite().all() for a, b in zip(left, right, strict=True))


def test_groups_are_named_ordered_and_complete():
    made = model()
    groups = grouper.param_groups(made, grouper.parse(SGD))
    assert [g["name"] for g in groups] == ["bias", "weight"]
    assert [name for name, _ in groups[0]["params"]] == ["0.bias", "1.bias", "2.bias"]
    assert groups[1]["weight_decay"] == 0.01
    optimizer = torch.optim.SGD(groups, lr=1)
    assert optimizer.param_groups[0]["param_names"] == ["0.bias", "1.bias", "2.bias"]
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_training_is_that_of_hand_written_groups():
    made, twin = model(), model()
    ours = grouper.build_optimizer(made, grouper.parse(SGD))
    named = dict(twin.named_parameters())
    native = torch.optim.SGD(
        [
            {"params": [p for n, p in named.items() if n.endswith(".bias")]},
            {"params": [p for n, p in named.items() if n.endswith("weight")], "weight_decay": 0.01},
        ],
        lr=0.1,
        momentum=0.9,
    )
    assert equal(train(made, ours, 20), train(twin, native, 20))


def test_freezing_is_bound_and_undone():
    made = model()
    groups = grouper.param_groups(made, grouper.parse("0.* -> stem freeze; else -> rest lr=1"))
    assert [n for n, p in made.named_parameters() if not p.requires_grad] == ["0.weight", "0.bias"]
    groups.unfreeze()
    assert all(p.requires_grad for p in made.parameters())


def test_a_model_that_was_frozen_stays_so():
    made = model()
    made[0].requires_grad_(False)
    groups = grouper.param_groups(made, grouper.parse("* -> all lr=1"))
    groups.unfreeze()
    assert not made[0].weight.requires_grad


def test_errors_leave_the_model_as_it_was():
    made = model()
    with pytest.raises(grouper.GroupingError, match="failed: 1 error"):
        grouper.build_optimizer(made, grouper.parse("0.* -> stem freeze; 1.* -> rest lr=1"))
    for line, words in [
        ("", "the rules do not name an optimizer"),
        ("optimizer SDG lr=1", "torch.optim has no optimizer `SDG`"),
        ("optimizer Adam lr=1 rho=2", "`Adam` has no option `rho`"),
        ("optimizer nowhere:Class lr=1", "cannot be imported"),
        ("optimizer collections:OrderedDict lr=1", "is not a torch optimizer|refuses"),
    ]:
        rules = grouper.parse(f"{line}\n0.* -> stem freeze; else -> rest")
        with pytest.raises((ValueError, grouper.GroupingError), match=words):
            grouper.build_optimizer(made, rules)
        assert all(p.requires_grad for p in made.parameters())


CLASSES = sorted(
    name
    for name, cls in vars(torch.optim).items()
    if isinstance(cls, type)
    and issubclass(cls, torch.optim.Optimizer)
    and name not in ("Optimizer", "SparseAdam")
)


@pytest.mark.parametrize("name", CLASSES)
def test_every_optimizer_of_torch_builds_and_steps(name):
    selector = "ndim == 2" if name == "Muon" else "trainable"
    made = nn.Linear(3, 2, bias=name != "Muon")
    rules = grouper.parse(f"optimizer {name} lr=0.01\n{selector} -> all")
    optimizer = grouper.build_optimizer(made, rules)
    assert type(optimizer) is getattr(torch.optim, name)

    def closure():
        optimizer.zero_grad()
        loss = made(torch.ones(1, 3)).square().sum()
        loss.backward()
        return loss

    before = made.weight.detach().clone()
    optimizer.step(closure)
    assert not torch.equal(before, made.weight)


def test_classes_of_any_package():
    rules = grouper.parse("optimizer torch.optim.adamw:AdamW lr=0.5\n* -> all")
    optimizer = grouper.build_optimizer(model(), rules)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["lr"] == 0.5


def two_by_hand(twin):
    matrices = [p for p in twin.parameters() if p.ndim == 2]
    vectors = [p for p in twin.parameters() if p.ndim == 1]
    sgd = torch.optim.SGD(vectors, lr=0.1, momentum=0.9)
    return sgd, torch.optim.AdamW(matrices, lr=0.01)


def test_two_optimizers_are_one_object():
    made, twin = model(), model()
    ours = grouper.build_optimizer(made, grouper.parse(TWO))
    assert isinstance(ours, torch.optim.Optimizer)
    assert [g["name"] for g in ours.param_groups] == ["matrix", "vector"]
    sgd, adamw = two_by_hand(twin)
    torch.manual_seed(1)
    for _ in range(10):
        sgd.zero_grad(), adamw.zero_grad()
        twin(torch.randn(5, 3)).square().mean().mul(0.1).backward()
        sgd.step(), adamw.step()
    assert equal(train(made, ours, 10), [p.detach() for p in twin.parameters()])


def test_two_optimizers_save_and_load():
    made = model()
    ours = grouper.build_optimizer(made, grouper.parse(TWO))
    train(made, ours, 5)
    other = copy.deepcopy(made)
    fresh = grouper.build_optimizer(other, grouper.parse(TWO))
    fresh.load_state_dict(copy.deepcopy(ours.state_dict()))
    assert equal(train(made, ours, 5, seed=2), train(other, fresh, 5, seed=2))
    fresh.param_groups[0]["lr"] = 0.0
    assert fresh.members["matrices"].param_groups[0]["lr"] == 0.0


def test_two_optimizers_under_schedulers_and_a_scaler():
    made = model()
    ours = grouper.build_optimizer(made, grouper.parse(TWO))
    scheduler = lr_scheduler.ExponentialLR(ours, 0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    before = [p.detach().clone() for p in made.parameters()]
    scaler.scale(made(torch.ones(1, 3)).square().sum()).backward()
    scaler.step(ours)
    scaler.update()
    scheduler.step()
    assert not equal(before, made.parameters())
    assert ours.members["rest"].param_groups[0]["lr"] == 0.05
    ours.add_param_group(
        {"params": [("extra", nn.Parameter(torch.ones(2)))], "name": "extra", "optimizer": "rest"}
    )
    assert [g["name"] for g in ours.members["rest"].param_groups] == ["vector", "extra"]


@pytest.mark.parametrize("text", [SGD, ADAMW], ids=["SGD", "AdamW"])
def test_the_scheduler_is_the_plan(text):
    made = model()
    optimizer = grouper.build_optimizer(made, grouper.parse(text))
    plan = grouper.plan(made, grouper.parse(text), steps_per_epoch=4, epochs=5)
    scheduler = plan.scheduler(optimizer)
    for step in range(plan.steps):
        for group, lr in zip(optimizer.param_groups, scheduler.get_last_lr(), strict=True):
            values = plan.at(step)[group["name"]]
            momentum = group["momentum"] if "momentum" in group else group["betas"][0]
            assert {"lr": group["lr"], "momentum": momentum} == values
            assert lr == values["lr"]
        train(made, optimizer, 1, scheduler, seed=step)


@pytest.mark.parametrize("stop", range(12))
def test_a_run_goes_on_bit_for_bit_from_every_step(stop):
    rules = grouper.parse(SGD)

    def start():
        made = model()
        optimizer = grouper.build_optimizer(made, rules)
        plan = grouper.plan(made, rules, steps_per_epoch=4, epochs=3)
        return made, optimizer, plan.scheduler(optimizer)

    def go(made, optimizer, scheduler, first, last):
        for step in range(first, last):
            train(made, optimizer, 1, scheduler, seed=step)

    whole = start()
    go(*whole, 0, 12)
    first = start()
    go(*first, 0, stop)
    saved = copy.deepcopy([part.state_dict() for part in first])
    assert saved[2] == {"last_epoch": stop, "steps_per_epoch": 4, "epochs": 3}
    second = start()
    for part, state in zip(second, saved, strict=True):
        part.load_state_dict(state)
    assert second[2].get_last_lr() == first[2].get_last_lr()
    go(*second, stop, 12)
    assert equal(whole[0].parameters(), second[0].parameters())


def test_the_scheduler_stands_in_a_chain():
    made = model()
    optimizer = grouper.build_optimizer(made, grouper.parse(SGD))
    plan = grouper.plan(made, grouper.parse(SGD), steps_per_epoch=4, epochs=5)
    scheduler = plan.scheduler(optimizer)
    constant = lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=100)
    chain = lr_scheduler.SequentialLR(optimizer, [scheduler, constant], milestones=[6])
    for step in range(6):
        assert optimizer.param_groups[1]["lr"] == plan.at(step)["weight"]["lr"]
        optimizer.step()
        chain.step()
    assert optimizer.param_groups[1]["lr"] == 0.05


def test_other_groups_are_refused_by_name():
    made = model()
    plan = grouper.plan(made, grouper.parse(SGD), steps_per_epoch=4, epochs=5)
    groups = grouper.param_groups(made, grouper.parse("/bias|weight/ -> all lr=1"))
    with pytest.raises(ValueError, match=r"has no group `bias`.*no group `all`"):
        plan.scheduler(torch.optim.SGD(groups))
    optimizer = grouper.build_optimizer(made, grouper.parse(SGD))
    scheduler = plan.scheduler(optimizer)
    optimizer.add_param_group({"params": [("x", nn.Parameter(torch.ones(1)))]})
    with pytest.raises(ValueError, match="a group without a name"):
        scheduler.step()


LABELS = st.lists(st.sampled_from("abcd"), min_size=6, max_size=6)


def labels_at(labels, names):
    return "\n".join(
        f'"{name}" -> {label} lr=0.1' for name, label in zip(names, labels, strict=True)
    )


@settings(max_examples=25)
@given(LABELS, LABELS, st.sampled_from(["SGD momentum=0.9", "AdamW", "Adafactor"]))
def test_state_follows_its_parameter_through_every_regrouping(before, after, optimizer):
    made = model()
    names = [name for name, _ in made.named_parameters()]
    first = grouper.parse(f"optimizer {optimizer} lr=0.1\n" + labels_at(before, names))
    second = grouper.parse(f"optimizer {optimizer} lr=0.1\n" + labels_at(after, names))
    old = grouper.build_optimizer(made, first)
    train(made, old, 2)
    new = grouper.build_optimizer(made, second)
    restored = grouper.load_optimizer_state(new, old.state_dict())
    assert set(restored.kept) == set(names)
    assert restored.new == restored.dropped == restored.reshaped == ()
    for parameter in made.parameters():
        for key, value in old.state[parameter].items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(new.state[parameter][key]))


def test_what_is_kept_new_dropped_and_reshaped():
    old_model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2), "c": nn.Linear(2, 2)})
    new_model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(3, 2), "d": nn.Linear(2, 2)})
    rules = grouper.parse("optimizer AdamW lr=0.1\n* -> all")
    old = grouper.build_optimizer(old_model, rules)
    sum(p.square().sum() for p in old_model.parameters()).backward()
    old.step()
    new = grouper.build_optimizer(new_model, rules)
    restored = grouper.load_optimizer_state(new, old.state_dict())
    assert restored.kept == ("a.weight", "a.bias", "b.bias")
    assert restored.reshaped == ("b.weight",)
    assert restored.new == ("d.weight", "d.bias")
    assert restored.dropped == ("c.weight", "c.bias")
    assert str(restored).startswith("optimizer state by name: 3 kept, 2 new, 1 reshaped, 2 dropped")


def test_state_without_names_is_refused():
    made = model()
    optimizer = grouper.build_optimizer(made, grouper.parse(SGD))
    state = torch.optim.SGD(made.parameters(), lr=1).state_dict()
    with pytest.raises(ValueError, match="the saved state has no names"):
        grouper.load_optimizer_state(optimizer, state)


def test_a_report_fits_its_model_after_it_was_wrapped():
    made = model()
    report = grouper.check(made, grouper.parse(SGD))
    for wrapped in (nn.DataParallel(made), torch.compile(made, backend="eager")):
        groups = grouper.param_groups(wrapped, report)
        assert [n for g in groups for n, _ in g["params"]][:3] == ["0.bias", "1.bias", "2.bias"]
        assert groups[0]["params"][0][1] is made[0].bias
    with pytest.raises(ValueError, match=r"another model: this one also has `3.weight`"):
        grouper.param_groups(nn.Sequential(*made, nn.Linear(2, 2)), report)
