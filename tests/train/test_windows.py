"""Windows: outside of them nothing moves in a bit, and at their opening nothing is remembered."""

import inspect
import math

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from support.builders import small_yolo  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402

STEPS, FIRST, END = 12, 4, 9
OPTIMIZERS = {
    "SGD": "lr=0.1 momentum=0.9 weight_decay=0.01",
    "Adam": "lr=0.1 weight_decay=0.01",
    "AdamW": "lr=0.1 weight_decay=0.01",
    "RMSprop": "lr=0.1 momentum=0.9 weight_decay=0.01",
    "Adagrad": "lr=0.1 weight_decay=0.01",
    "Adadelta": "lr=0.1 weight_decay=0.01",
    "Adamax": "lr=0.1 weight_decay=0.01",
    "NAdam": "lr=0.1 weight_decay=0.01",
    "RAdam": "lr=0.1 weight_decay=0.01",
    "ASGD": "lr=0.1 weight_decay=0.01",
    "Adafactor": "lr=0.1 weight_decay=0.01",
    "Muon": "lr=0.1 weight_decay=0.01",
}
RULES = """
optimizer {optimizer}
warmup steps=2 start=0.01
schedule linear final=0.1 every=step
early -> early from_step={first} until_step={end} lr*=0.5
else  -> always
"""


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.early = nn.Parameter(torch.randn(3, 3))
        self.late = nn.Parameter(torch.randn(3, 3))


def gradients(net, step):
    """Gradients that hang on the step alone."""
    torch.manual_seed(100 + step)
    for parameter in net.parameters():
        parameter.grad = torch.randn(3, 3)


def built(optimizer, first=FIRST, end=END):
    rules = grouper.parse(RULES.format(optimizer=optimizer, first=first, end=end))
    net = Net()
    plan = grouper.plan(net, rules, steps=STEPS)
    return net, grouper.build_optimizer(net, rules), plan


def train(net, optimizer, scheduler, steps):
    """What each parameter is before each of the steps, and at the end."""
    seen = []
    for step in steps:
        seen.append([p.detach().clone() for p in net.parameters()])
        gradients(net, step)
        optimizer.step()
        scheduler.step()
    return [*seen, [p.detach().clone() for p in net.parameters()]]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nothing_moves_outside_and_nothing_is_remembered_inside(name):
    net, optimizer, plan = built(f"{name} {OPTIMIZERS[name]}")
    seen = [early for early, _ in train(net, optimizer, plan.scheduler(optimizer), range(STEPS))]
    assert all(torch.equal(seen[0], value) for value in seen[: FIRST + 1])
    assert all(torch.equal(seen[END], value) for value in seen[END:])
    fresh = Net()
    cls = getattr(torch.optim, name)
    taken = inspect.signature(cls).parameters
    options = {k: v for k, v in optimizer.param_groups[0].items() if k in taken and k != "params"}
    other = cls([fresh.early], **options)
    for step in range(FIRST, END):
        other.param_groups[0]["lr"] = plan.at(step)["early"]["lr"]
        gradients(fresh, step)
        other.step()
        assert torch.equal(fresh.early.detach(), seen[step + 1]), step
        assert not torch.equal(seen[step], seen[step + 1])


@pytest.mark.parametrize(("optimizer", "first"), [("SGD", 0.1), ("RMSprop", 1.0)])
def test_the_first_step_is_that_of_a_new_parameter(optimizer, first):
    """Without the emptied state, three closed steps and an lr of 0.1 make 0.344 and 2.33 of it."""
    net = nn.Linear(1, 1, bias=False)
    rules = grouper.parse(f"optimizer {optimizer} lr=0.1 momentum=0.9\n* -> all from_step=3")
    made = grouper.build_optimizer(net, rules)
    scheduler = grouper.plan(net, rules, steps=9).scheduler(made)
    for step in range(4):
        before = net.weight.item()
        net.weight.grad = torch.ones(1, 1)
        made.step()
        scheduler.step()
        moved = before - net.weight.item()
        assert moved == pytest.approx(first if step == 3 else 0, rel=1e-4)


@pytest.mark.parametrize("stop", range(STEPS))
def test_resuming_anywhere_is_exact(stop, tmp_path):
    net, optimizer, plan = built("AdamW lr=0.1")
    whole = train(net, optimizer, plan.scheduler(optimizer), range(STEPS))
    net, optimizer, plan = built("AdamW lr=0.1")
    scheduler = plan.scheduler(optimizer)
    train(net, optimizer, scheduler, range(stop))
    saved = [net.state_dict(), optimizer.state_dict(), scheduler.state_dict()]
    torch.save(saved, tmp_path / "last.pt")
    net, optimizer, plan = built("AdamW lr=0.1")
    scheduler = plan.scheduler(optimizer)
    states = torch.load(tmp_path / "last.pt")
    for each, state in zip((net, optimizer, scheduler), states, strict=True):
        each.load_state_dict(state)
    rest = train(net, optimizer, scheduler, range(stop, STEPS))
    for ours, theirs in zip(rest, whole[stop:], strict=True):
        assert all(map(torch.equal, ours, theirs))


def test_a_loop_without_a_scheduler_does_the_same():
    net, optimizer, plan = built("SGD lr=0.1 momentum=0.9")
    whole = train(net, optimizer, plan.scheduler(optimizer), range(STEPS))
    net, optimizer, plan = built("SGD lr=0.1 momentum=0.9")
    for step in range(STEPS):
        assert all(map(torch.equal, net.parameters(), whole[step]))
        plan.apply(optimizer, step)
        gradients(net, step)
        optimizer.step()


def test_with_several_optimizers():
    text = (
        "optimizer AdamW lr=0.1\noptimizer SGD as hidden lr=0.1 momentum=0.9 from_step=4\n"
        "early -> early optimizer=hidden\nelse -> always"
    )
    net, rules = Net(), grouper.parse(text)
    optimizer = grouper.build_optimizer(net, rules)
    scheduler = grouper.plan(net, rules, steps=STEPS).scheduler(optimizer)
    seen = [early for early, _ in train(net, optimizer, scheduler, range(STEPS))]
    assert all(torch.equal(seen[0], value) for value in seen[:5])
    gradients(net, 4)
    torch.testing.assert_close(seen[5], seen[4] - 0.1 * net.early.grad)


epochs = st.fractions(0, 8, max_denominator=12).map(float)


@settings(max_examples=150)
@given(epochs, st.integers(1, 40))
def test_windows_that_meet_neither_overlap_nor_leave_a_gap(at, nb):
    if not 0 < round(at * nb) < 8 * nb:
        return
    text = f"*.bias -> one until_epoch={at!r} lr=1\nelse -> two from_epoch={at!r} lr=1"
    plan = grouper.plan(small_yolo(), grouper.parse(text), steps_per_epoch=nb, epochs=8)
    curves = plan.over(range(plan.steps))
    one, two = curves["one"]["lr"], curves["two"]["lr"]
    assert [a + b for a, b in zip(one, two, strict=True)] == [1.0] * plan.steps
    assert two.index(1.0) == round(at * nb)


def test_a_window_masks_and_does_not_shift():
    text = "optimizer SGD lr=1\nschedule cosine\nmodel.0.* -> backbone from_epoch=3 lr*=0.1\n"
    made = grouper.parse(f"{text}else -> head")
    plan = grouper.plan(small_yolo(), made, steps_per_epoch=10, epochs=8)
    for step in range(plan.steps):
        values = plan.at(step)
        due = 0.1 * values["head"]["lr"] if step >= 30 else 0
        assert values["backbone"]["lr"] == pytest.approx(due, rel=1e-12)


def test_a_warm_up_counts_from_the_opening_and_momentum_stands_still_outside():
    text = (
        "optimizer SGD lr=1 momentum=0.9\nwarmup steps=10 momentum=0.5\n"
        "schedule cosine after=warmup\n* -> all from_step=20 until_step=60"
    )
    plan = grouper.plan(small_yolo(), grouper.parse(text), steps=80)
    assert [plan.at(step)["all"]["momentum"] for step in (0, 19, 20, 30, 59, 79)] == [
        0.5, 0.5, 0.5, 0.9, 0.9, 0.9,
    ]  # fmt: skip
    assert plan.at(25)["all"] == {"lr": 0.5, "momentum": pytest.approx(0.7)}
    half = (1 + math.cos(math.pi * 25 / 50)) / 2
    assert plan.at(55)["all"]["lr"] == pytest.approx(half)
    assert [plan.at(step)["all"]["lr"] for step in (19, 20, 30, 60)] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("from_step=5 until_step=5", "is empty: it opens at step 5 and closes at step 5"),
        ("from_epoch=2 until_step=4", "is empty: it opens at step 20 and closes at step 4"),
        ("from_epoch=8", "opens at step 80, and the run has 80 steps"),
    ],
)
def test_windows_that_never_train_are_refused(window, said):
    rules = grouper.parse(f"* -> all lr=1 {window}")
    with pytest.raises(ValueError, match=said):
        grouper.plan(small_yolo(), rules, steps_per_epoch=10, epochs=8)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("optimizer Rprop lr=0.1\n*.bias -> b from_epoch=1\nelse -> w", "from_epoch=1"),
        ("optimizer prodigyopt:Prodigy lr=1 until_step=9\n* -> all", "until_step=9"),
        ("optimizer dadaptation:DAdaptAdam lr=1\n* -> all from_step=2", "from_step=2"),
    ],
)
def test_optimizers_that_do_not_stand_still_have_no_windows(text, place):
    (finding,) = grouper.check(small_yolo(), grouper.parse(text)).findings
    assert (finding.code.id, finding.span.text) == ("GR210", place)
    assert not grouper.check(small_yolo(), grouper.parse(text.replace(f" {place}", ""))).findings


def test_rprop_would_move_at_an_lr_of_zero():
    net = Net()
    before = net.early.detach().clone()
    optimizer = torch.optim.Rprop([net.early], lr=0.1)
    optimizer.param_groups[0]["lr"] = 0.0
    gradients(net, 0)
    optimizer.step()
    assert not torch.equal(net.early.detach(), before)


def test_emitted_python_does_the_same():
    from grouper.reports.python.module import python_code

    net, optimizer, plan = built("SGD lr=0.1 momentum=0.9")
    whole = train(net, optimizer, plan.scheduler(optimizer), range(STEPS))
    net = Net()
    text = RULES.format(optimizer="SGD lr=0.1 momentum=0.9", first=FIRST, end=END)
    space = {"__name__": "emitted"}
    exec(python_code(grouper.check(net, grouper.parse(text)), plan), space)
    optimizer = space["build_optimizer"](net)
    for step in range(STEPS):
        assert all(map(torch.equal, net.parameters(), whole[step]))
        space["set_rates"](optimizer, step)
        gradients(net, step)
        optimizer.step()
