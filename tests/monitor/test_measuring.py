"""What the monitor measures, against the plain way to get it."""

import math

import pytest

torch = pytest.importorskip("torch")

from support.monitor_models import groups_of, loss_of, plainly, small, state_of, step  # noqa: E402

MEASURED = ("gradient_norm", "weight_norm", "update_ratio", "zero_gradients")


def assert_measured(record, before, optimizer, rel=1e-6):
    for state, group in zip(before, optimizer.param_groups, strict=True):
        measured = record.groups[group["name"]]
        for key, value in plainly(state, group).items():
            assert getattr(measured, key) == pytest.approx(value, rel=rel, abs=1e-12), key
        assert measured.lr == float(group["lr"])
        assert not measured.nonfinite_gradients


OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.1),
    "fused": lambda groups: torch.optim.AdamW(groups, lr=0.1, fused=True),
    "foreach": lambda groups: torch.optim.AdamW(groups, lr=0.1, foreach=True),
    "tensor lr": lambda groups: torch.optim.AdamW(
        groups, lr=torch.tensor(0.1, dtype=torch.float64)
    ),
    "adafactor": lambda groups: torch.optim.Adafactor(groups, lr=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_numbers_are_those_of_the_plain_way(name, watch, seen):
    model = small()
    optimizer = OPTIMIZERS[name](groups_of(model))
    watch(optimizer)
    for _ in range(2):
        optimizer.zero_grad()
        loss_of(model).backward()
        before = state_of(optimizer)
        optimizer.step()
        assert_measured(seen[-1], before, optimizer)
    momentum = {"sgd": 0.9, "adafactor": None}.get(name, 0.9)
    assert seen[0].groups["weight"].momentum == momentum


@pytest.mark.parametrize(
    ("dtype", "rel"),
    [(torch.float64, 1e-12), (torch.bfloat16, 1e-2), (torch.complex64, 1e-6)],
)
def test_of_every_dtype(dtype, rel, watch, seen):
    model = torch.nn.Linear(4, 8).to(dtype)
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    watch(optimizer)
    loss_of(model).backward()
    before = state_of(optimizer)
    optimizer.step()
    assert_measured(seen[0], before, optimizer, rel)


def test_norms_of_half_precision_do_not_overflow(watch, seen):
    weight = torch.nn.Parameter(torch.full((100_000,), 300.0, dtype=torch.float16))
    weight.grad = torch.full_like(weight, 400.0)
    optimizer = torch.optim.SGD([{"params": [weight], "name": "all"}], lr=0.0)
    watch(optimizer)
    optimizer.step()
    measured = seen[0].groups["all"]
    assert measured.gradient_norm == pytest.approx(400 * math.sqrt(100_000), rel=1e-4)
    assert measured.weight_norm == pytest.approx(300 * math.sqrt(100_000), rel=1e-4)
    assert measured.zero_gradients == 0


def test_groups_of_several_dtypes_and_parameters_without_gradients(watch, seen):
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4).double())
    unused = torch.nn.Parameter(torch.ones(3))
    named = [*model.named_parameters(), ("unused", unused)]
    optimizer = torch.optim.SGD([{"params": named, "name": "all"}], lr=0.1)
    watch(optimizer)
    model[1](model[0](torch.randn(2, 4)).double()).square().sum().backward()
    before = state_of(optimizer)
    optimizer.step()
    assert_measured(seen[0], before, optimizer)
    assert seen[0].untouched == ("unused",)


def test_a_sparse_gradient_is_measured_as_the_dense_one(watch, seen):
    table = torch.nn.Embedding(10, 3, sparse=True)
    optimizer = torch.optim.SGD([{"params": table.parameters(), "name": "table"}], lr=0.1)
    watch(optimizer)
    table(torch.tensor([1, 1, 4])).square().sum().backward()
    assert table.weight.grad.is_sparse
    before = state_of(optimizer)
    optimizer.step()
    assert_measured(seen[0], before, optimizer)
    assert seen[0].groups["table"].zero_gradients == pytest.approx(0.8)


def test_gradients_that_are_not_finite_are_counted(watch, seen):
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    watch(optimizer)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    model[0].weight.grad[0, 0] = float("nan")
    model[2].weight.grad[0, 0] = float("-inf")
    optimizer.step()
    weight = seen[0].groups["weight"]
    assert weight.nonfinite_gradients == 2 / 48
    assert weight.zero_gradients == pytest.approx(46 / 48)
    assert math.isnan(weight.gradient_norm)
    assert seen[0].groups["bias"].zero_gradients == 1.0


def test_norms_of_many_values_are_exact_enough(watch, seen):
    weight = torch.nn.Parameter(torch.ones(2**25))
    weight.grad = torch.ones(2**25)
    watch(torch.optim.SGD([{"params": [weight], "name": "all"}], lr=0.5))._optimizer.step()
    measured = seen[0].groups["all"]
    assert measured.gradient_norm == pytest.approx(2**12.5, rel=1e-6)
    assert measured.update_ratio == pytest.approx(0.5, rel=1e-6)


def test_a_norm_that_overflows_is_no_fault_of_its_values(watch, seen):
    weight = torch.nn.Parameter(torch.ones(4))
    weight.grad = torch.full_like(weight, 3e38)
    watch(torch.optim.SGD([{"params": [weight], "name": "all"}], lr=0.1))._optimizer.step()
    assert seen[0].groups["all"].gradient_norm == math.inf
    assert seen[0].groups["all"].nonfinite_gradients == 0


@pytest.mark.parametrize("every", [1, 2, 5])
def test_the_run_is_the_same_with_and_without_it(every, watch, seen):
    finals = []
    for watched in (False, True):
        model = small()
        optimizer = torch.optim.AdamW(groups_of(model), lr=0.01)
        if watched:
            watch(optimizer, every=every)
        torch.manual_seed(1)
        for _ in range(6):
            step(model, optimizer)
        finals.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*finals)
    assert [record.step for record in seen] == list(range(0, 6, every))


def test_nothing_of_the_model_is_held_between_measured_steps(watch):
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    monitor = watch(optimizer, every=2)
    held = []
    optimizer.register_step_post_hook(lambda *_: held.append(monitor._measured))
    for _ in range(3):
        step(model, optimizer)
    assert held == [None] * 3


def test_an_lr_that_the_optimizer_finds_itself_is_none(watch, seen):
    class Own(torch.optim.Optimizer):
        def step(self):
            for group in self.param_groups:
                torch._foreach_mul_([p.data for p in group["params"]], 0.5)

    model = small()
    optimizer = Own([{"params": model.parameters(), "name": "all"}], {"lr": None, "betas": None})
    watch(optimizer)
    step(model, optimizer)
    measured = seen[0].groups["all"]
    assert (measured.lr, measured.momentum) == (None, None)
    assert measured.update_ratio == pytest.approx(0.5)
