"""Compiled models and compiled steps follow the plan."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402

RULES = """
optimizer SGD lr=0.1
warmup steps=3 start=0.01
schedule linear final=0.1 every=step
*.bias -> bias warmup_start=0.2
else   -> weight weight_decay=0.01
"""


def trained(compiled_model, compiled_step, backend, steps=6):
    """The lr of each step, and the weights, of a run whose lr is a tensor."""
    torch.manual_seed(0)
    model, rules = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), grouper.parse(RULES)
    if compiled_model:
        model = torch.compile(model, backend=backend)
    groups = grouper.param_groups(model, rules)
    for group in groups:
        group["lr"] = torch.tensor(group["lr"])
    optimizer = torch.optim.SGD(groups)
    scheduler = grouper.plan(model, rules, steps_per_epoch=3, epochs=4).scheduler(optimizer)
    step = torch.compile(optimizer.step, backend=backend) if compiled_step else optimizer.step
    rates = []
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(5, 3)).square().mean().backward()
        rates.append([group["lr"].item() for group in optimizer.param_groups])
        step()
        scheduler.step()
    return rates, [parameter.detach().clone() for parameter in model.parameters()]


@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=pytest.mark.nightly)])
def test_a_compiled_model_and_step_follow_the_plan(backend):
    rates, weights = trained(False, False, backend)
    assert len({tuple(row) for row in rates}) > 4  # the lr moves, so a baked-in one would show
    for model, step in [(True, False), (False, True), (True, True)]:
        its_rates, its_weights = trained(model, step, backend)
        assert its_rates == rates
        for due, got in zip(weights, its_weights, strict=True):
            torch.testing.assert_close(got, due)
