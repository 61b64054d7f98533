"""States go into the optimizer that a framework's wrapper holds, and nothing else is touched."""

import copy

import pytest

torch = pytest.importorskip("torch")

from support.torchvision_stub import define_operators  # noqa: E402
from torch import nn  # noqa: E402
from torch.optim.optimizer import register_optimizer_step_pre_hook  # noqa: E402

import grouper  # noqa: E402

RULES = """
optimizer AdamW lr=0.01
split kind { *.bias -> bias weight_decay=0; else -> weight weight_decay=0.1 }
"""


def accelerated(optimizer):
    accelerate = pytest.importorskip("accelerate")
    return accelerate.Accelerator(cpu=True).prepare(optimizer)


def lightning(optimizer):
    define_operators()
    pytest.importorskip("lightning.pytorch")
    from lightning.pytorch.core.optimizer import LightningOptimizer

    return LightningOptimizer(optimizer)


class WritesThrough(torch.optim.Optimizer):
    """A wrapper whose every attribute is that of what it holds."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    @param_groups.setter
    def param_groups(self, value):
        self.optimizer.param_groups = value

    @property
    def state(self):
        return self.optimizer.state

    @state.setter
    def state(self, value):
        self.optimizer.state = value

    @property
    def defaults(self):
        return self.optimizer.defaults

    def state_dict(self):
        return self.optimizer.state_dict()

    def load_state_dict(self, state_dict):
        self.optimizer.load_state_dict(state_dict)


def twice(optimizer):
    return WritesThrough(WritesThrough(optimizer))


WRAPPERS = [accelerated, lightning, WritesThrough, twice]


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def train(made, optimizer, steps):
    for number in steps:
        optimizer.zero_grad()
        made(torch.full((2, 3), 1.0 + number)).square().mean().backward()
        optimizer.step()


@pytest.fixture
def saved():
    """A model after three steps, its optimizer's state, and the weights after six."""
    made = model()
    optimizer = grouper.build_optimizer(made, grouper.parse(RULES))
    train(made, optimizer, range(3))
    kept = copy.deepcopy(made.state_dict()), copy.deepcopy(optimizer.state_dict())
    train(made, optimizer, range(3, 6))
    return (*kept, made.state_dict())


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_a_wrapped_optimizer_goes_on_bit_for_bit(wrap, saved):
    weights, state, after = saved
    made = model()
    made.load_state_dict(weights)
    inner = grouper.build_optimizer(made, grouper.parse(RULES))
    wrapped = wrap(inner)
    sizes = [len(group["params"]) for group in inner.param_groups]
    restored = grouper.load_optimizer_state(wrapped, state)
    assert len(restored.kept) == 6
    assert [len(group["params"]) for group in inner.param_groups] == sizes
    parameters = {id(parameter) for parameter in made.parameters()}
    assert {id(p) for group in inner.param_groups for p in group["params"]} == parameters
    assert all(int(inner.state[parameter]["step"]) == 3 for parameter in made.parameters())
    train(made, wrapped if wrap is accelerated else inner, range(3, 6))
    assert all(torch.equal(made.state_dict()[name], value) for name, value in after.items())


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_a_wrapped_optimizer_is_unfrozen_planned_and_watched(wrap, tmp_path):
    made = model()
    rules = grouper.parse(f"{RULES}\n2.* -> head freeze")
    report = grouper.check(made, rules)
    inner = grouper.build_optimizer(made, report)
    wrapped = wrap(inner)
    plan = grouper.plan(made, report, steps_per_epoch=4, epochs=2)
    scheduler = plan.scheduler(wrapped)
    plan.apply(wrapped, 1)
    with grouper.Monitor(wrapped, plan, path=tmp_path / "monitor.jsonl", every=1) as monitor:
        train(made, wrapped if wrap is accelerated else inner, range(2))
    assert monitor.step == 2
    scheduler.load_state_dict({"last_epoch": 2})
    before = len(inner.param_groups)
    assert grouper.add_groups(wrapped, made, report.unfreeze("head"))
    assert len(inner.param_groups) > before


@pytest.mark.parametrize("name", ["Adam", "SGD", "Adafactor", "LBFGS", "Rprop"])
def test_finding_the_shapes_touches_nothing_of_the_process(name):
    made, counted = nn.Linear(3, 2), []
    optimizer = grouper.build_optimizer(made, grouper.parse(f"optimizer {name} lr=0.1\n* -> all"))
    groups = optimizer.param_groups
    before = copy.deepcopy(optimizer.state_dict())
    hook = register_optimizer_step_pre_hook(lambda *_: counted.append(1))
    try:
        grouper.load_optimizer_state(optimizer, copy.deepcopy(before))
    finally:
        hook.remove()
    assert not counted
    assert [len(g["params"]) for g in groups] == [2]
    assert str(optimizer.state_dict()) == str(before)


class Averaging(torch.optim.SGD):
    """Steps another optimizer, and says so to whoever copies it."""

    def __init__(self, params, lr):
        super().__init__(params, lr)
        self.other = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
        self.other.param_groups[0]["params"][0].grad = torch.ones(1)

    def __getstate__(self):
        return vars(self)

    def step(self, closure=None):
        self.other.step()
        return super().step(closure)


def test_the_trial_step_reaches_no_other_optimizer():
    made = nn.Linear(3, 2)
    optimizer = Averaging(made.named_parameters(), lr=0.1)
    grouper.load_optimizer_state(optimizer, copy.deepcopy(optimizer.state_dict()))
    assert optimizer.other.param_groups[0]["params"][0].item() == 1.0


def test_a_tensor_lr_is_not_written_by_the_trial_step():
    class Decaying(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            for group in self.param_groups:
                group["lr"].mul_(0.5)
                group["history"].append(1)

    optimizer = Decaying(nn.Linear(3, 2).named_parameters(), lr=torch.tensor(0.1))
    optimizer.param_groups[0]["history"] = []
    optimizer.state_dict()
    grouper.load_optimizer_state(optimizer, copy.deepcopy(optimizer.state_dict()))
    assert float(optimizer.param_groups[0]["lr"]) == pytest.approx(0.1)
    assert optimizer.param_groups[0]["history"] == []
