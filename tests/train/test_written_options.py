"""What the scheduler writes is what the plan says, to the last bit, at every step."""

import pytest

import grouper

torch = pytest.importorskip("torch")

RULES = {
    "warm-up of both": "optimizer SGD lr=0.1 momentum=0.9\nwarmup epochs=2 momentum=0.5\n"
    "schedule cosine final=0.1\n{i}.weight -> w{i} lr*=0.9**i; *.bias -> b warmup_start=0.3",
    "betas": "optimizer AdamW lr=0.1 betas=(0.9, 0.99)\nwarmup steps=7 momentum=0.8\n"
    "schedule linear final=0.1\n* -> all",
    "after warm-up": "optimizer SGD lr=0.1\nwarmup steps=9\nschedule cosine after=warmup\n* -> a",
    "after warm-up, in epochs": "optimizer SGD lr=0.1\nwarmup steps=9\n"
    "schedule cosine after=warmup every=epoch\n* -> a",
    "lag": "optimizer SGD lr=0.1\nwarmup steps=9\nschedule linear final=0.1 lag=1\n"
    "*.bias -> a warmup_steps=3; else -> b",
    "each step": "optimizer SGD lr=0.1\nschedule cosine every=step\n* -> a",
    "no warm-up": "optimizer SGD lr=0.1 momentum=0.9\nschedule exponential gamma=0.9\n* -> a",
    "two schedules": "optimizer SGD lr=0.1\nschedule linear final=0.1\n"
    "*.bias -> a schedule=step(size=2, gamma=0.5); else -> b",
}


@pytest.mark.parametrize("text", RULES.values(), ids=RULES)
def test_every_step(text):
    model = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(3)))
    rules = grouper.parse(text)
    plan = grouper.plan(model, rules, steps_per_epoch=5, epochs=6)
    optimizer = grouper.build_optimizer(model, rules)
    scheduler = plan.scheduler(optimizer)
    for step in range(plan.steps):
        for group, values in zip(optimizer.param_groups, plan.at(step).values(), strict=True):
            assert group["lr"] == values["lr"]
            if "momentum" in values:
                own = group["momentum"] if "momentum" in group else group["betas"][0]
                assert own == values["momentum"]
        assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("at", [0, 8, 12])
def test_a_value_that_another_writes_is_seen_whenever_it_is_written(at):
    model = torch.nn.Linear(2, 2)
    rules = grouper.parse("optimizer SGD lr=0.1 momentum=0.9\nwarmup steps=3\n* -> a")
    optimizer = grouper.build_optimizer(model, rules)
    scheduler = grouper.plan(model, rules, steps_per_epoch=5, epochs=6).scheduler(optimizer)
    for _ in range(at):
        optimizer.step()
        scheduler.step()
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.step()
    with pytest.raises(ValueError, match="momentum"):
        scheduler.step()
