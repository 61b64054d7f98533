"""The length of a plan where gradients are accumulated: trainers step after a last, shorter one."""

import math

import pytest

torch = pytest.importorskip("torch")
accelerate = pytest.importorskip("accelerate")

import grouper  # noqa: E402

RULES = "optimizer SGD lr=0.1; schedule linear every=step; * -> all"
BATCHES, ACCUMULATE, EPOCHS = 9, 4, 4


def run(steps_per_epoch):
    """The steps that Accelerate makes, under a plan of this length."""
    model = torch.nn.Linear(2, 1)
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATE)
    loader = torch.utils.data.DataLoader(torch.ones(BATCHES, 2))
    optimizer = grouper.build_optimizer(model, grouper.parse(RULES))
    plan = grouper.plan(model, grouper.parse(RULES), steps_per_epoch=steps_per_epoch, epochs=EPOCHS)
    scheduler = plan.scheduler(optimizer)
    model, loader, optimizer, scheduler = accelerator.prepare(model, loader, optimizer, scheduler)
    for _ in range(EPOCHS):
        for batch in loader:
            with accelerator.accumulate(model):
                accelerator.backward(model(batch).sum())
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
    return plan, scheduler.scheduler


def test_a_run_of_accelerate_has_the_ceiling_of_the_quotient():
    plan, scheduler = run(math.ceil(BATCHES / ACCUMULATE))
    assert scheduler.last_epoch == plan.steps == 12
    assert scheduler.get_last_lr() == [0.0]


def test_one_that_is_too_short_names_the_cause():
    with (
        pytest.warns(UserWarning, match="step 9 is beyond the plan's 8 steps"),
        pytest.raises(ValueError, match=r"`math\.ceil\(len\(loader\) / accumulate\)` steps, not"),
    ):
        run(BATCHES // ACCUMULATE)
