"""torchtitan's configuration: against the package where it is installed, else as recorded.

The interface is that of torchtitan 0.3: a configuration's `build`, called by its Trainer once the
model is parallelized, then `step` of the optimizers and of the schedulers after each step.
"""

import json
import sys
import types
from dataclasses import dataclass, field
from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")

import grouper  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402

RULES = """
let base = 1e-2
optimizer AdamW lr=base
warmup steps=2
schedule linear every=step
layers.{i}.* -> block{i} lr*=0.5**(count(i) - 1 - rank(i))
else -> rest
"""


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleDict({str(i): torch.nn.Linear(4, 4) for i in range(4)})
        self.output = torch.nn.Linear(4, 2)

    def forward(self, x):
        for layer in self.layers.values():
            x = torch.relu(layer(x))
        return self.output(x)


def stage(names):
    """A part of the model, whose modules are called as in the whole, as in torchtitan."""
    part = Model()
    part.layers = torch.nn.ModuleDict({k: v for k, v in part.layers.items() if k in names})
    if "output" not in names:
        part.output = None
    return part


def _recorded():
    """What the integration uses of torchtitan 0.3."""

    class OptimizersContainer(torch.optim.Optimizer):
        @dataclass(kw_only=True, slots=True)
        class Config:
            param_groups: list = field(default_factory=list)
            implementation: str = "fused"

        def step(self, closure=None):
            for optimizer in self.optimizers:
                optimizer.step()

        def zero_grad(self, set_to_none=True):
            for optimizer in self.optimizers:
                optimizer.zero_grad(set_to_none=set_to_none)

        def state_dict(self):
            flat = {}
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    options = {k: v for k, v in group.items() if k not in ("params", "param_names")}
                    for name, tensor in zip(group["param_names"], group["params"], strict=True):
                        states = optimizer.state[tensor].items()
                        flat |= {f"state.{name}.{key}": value for key, value in states}
                        flat |= {f"param_groups.{name}.{key}": v for key, v in options.items()}
            return flat

        def _post_init(self, parameters):
            torch.optim.Optimizer.__init__(self, parameters, {})

    class LRSchedulersContainer:
        @dataclass(kw_only=True, slots=True)
        class Config:
            warmup_steps: int = 200
            total_steps: int | None = None

        def step(self):
            for scheduler in self.schedulers:
                scheduler.step()

        def state_dict(self):
            return {"last_epoch": self.schedulers[0].last_epoch}

    return {
        "OptimizersContainer": OptimizersContainer,
        "LRSchedulersContainer": LRSchedulersContainer,
    }


@pytest.fixture
def torchtitan(monkeypatch):
    recorded = find_spec("torchtitan") is None
    if recorded:
        names = ("torchtitan", "torchtitan.components", "torchtitan.components.optimizer")
        modules = {name: types.ModuleType(name) for name in names}
        vars(modules[names[-1]]).update(_recorded())
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "grouper.integrations.torchtitan", raising=False)
    from grouper.integrations import torchtitan as integration

    if recorded:  # torchtitan's Configurable adds it to every class
        build = lambda config, **more: integration.RulesOptimizers(config, **more)  # noqa: E731
        integration.RulesOptimizers.Config.build = build
    yield integration
    sys.modules.pop("grouper.integrations.torchtitan", None)


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "my.rules"
    path.write_text(RULES)
    return str(path)


def built(integration, rules, parts, steps, **more):
    optimizers = integration.optimizers(rules, **more).build(model_parts=parts)
    schedulers = integration.schedulers().build(optimizers=optimizers, training_steps=steps)
    return optimizers, schedulers


def trained(model, optimizers, schedulers, steps):
    for step in range(steps):
        optimizers.zero_grad()
        generator = torch.Generator().manual_seed(step)
        model(torch.randn(8, 4, generator=generator)).square().mean().backward()
        optimizers.step()
        schedulers.step()
    return [parameter.detach().clone() for parameter in model.parameters()]


def test_a_run_is_that_of_a_plain_loop(torchtitan, rules):
    torch.manual_seed(0)
    ours, plain = Model(), Model()
    plain.load_state_dict(ours.state_dict())
    got = trained(ours, *built(torchtitan, rules, [ours], 10, base=0.1), 10)
    optimizer, scheduler = grouper.build(plain, grouper.load(rules, base=0.1), steps=10)
    wanted = trained(plain, optimizer, scheduler, 10)
    assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))


def test_every_group_is_logged(torchtitan, rules):
    model = Model()
    _, schedulers = built(torchtitan, rules, [model], 10)
    names = ["lr/block0", "lr/block1", "lr/block2", "lr/block3", "lr/rest"]
    assert list(schedulers.get_metrics()) == names


def test_a_run_goes_on_at_the_saved_step(torchtitan, rules):
    model = Model()
    optimizers, schedulers = built(torchtitan, rules, [model], 10)
    trained(model, optimizers, schedulers, 5)
    saved = json.loads(json.dumps(schedulers.state_dict()))
    _, others = built(torchtitan, rules, [Model()], 10)
    others.load_state_dict(saved)
    assert others.get_metrics() == schedulers.get_metrics()


def test_moments_stay_with_their_parameters_when_rules_change(torchtitan, rules, tmp_path):
    model = Model()
    optimizers, schedulers = built(torchtitan, rules, [model], 10)
    trained(model, optimizers, schedulers, 5)
    saved, step = optimizers.state_dict(), schedulers.state_dict()
    path = tmp_path / "other.rules"
    head = "optimizer AdamW lr=1e-2\nschedule linear every=step\noutput.* -> head lr=0.1\n"
    path.write_text(head + "else layers.{i}.* -> block{i}\n")
    other = Model()
    other.load_state_dict(model.state_dict())
    resumed, followed = built(torchtitan, str(path), [other], 10)
    resumed.load_state_dict(saved)
    followed.load_state_dict(step)
    assert next(iter(followed.get_metrics().items())) == ("lr/head", 0.05)
    (mine,), (theirs,) = optimizers.optimizers, resumed.optimizers
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(mine.state[a]["exp_avg"], theirs.state[b]["exp_avg"]) for a, b in pairs)
    trained(other, resumed, followed, 2)


def test_stages_have_the_rates_of_the_whole(torchtitan, rules, tmp_path):
    whole = Model()
    path = tmp_path / "whole.json"
    path.write_text(snapshot.dumps(inventory_of(whole)))
    parts = [stage({"0", "1"}), stage({"2", "3", "output"})]
    _, one = built(torchtitan, rules, [whole], 10)
    _, staged = built(torchtitan, rules, parts, 10, whole=str(path))
    assert staged.get_metrics() == one.get_metrics()


def test_parts_without_the_whole_are_refused(torchtitan, rules):
    with pytest.raises(ValueError, match="several parts of the model"):
        built(torchtitan, rules, [stage({"0"}), stage({"1"})], 10)


def test_a_second_owner_is_refused(torchtitan, rules):
    config = torchtitan.optimizers(rules)
    config.param_groups = [object()]
    with pytest.raises(ValueError, match="`rules` and `param_groups` both set the lr"):
        config.build(model_parts=[Model()])


def test_schedulers_need_optimizers_of_rules(torchtitan):
    with pytest.raises(TypeError, match="do not follow rules"):
        torchtitan.schedulers().build(optimizers=object(), training_steps=10)


def test_rules_for_another_model_are_an_error(torchtitan, tmp_path):
    path = tmp_path / "other.rules"
    path.write_text("optimizer SGD lr=1\nbackbone.* -> a\nelse -> b\n")
    with pytest.raises(grouper.GroupingError, match="matches no parameter"):
        torchtitan.optimizers(str(path)).build(model_parts=[Model()])
