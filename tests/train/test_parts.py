"""Stages of a pipeline, and other parts, bound to a report of the whole."""

import copy
import warnings

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402

RULES = """
optimizer AdamW lr=1e-2
warmup steps=2; schedule linear every=step
embed.* -> embed lr*=0.5**5
layers.{i}.* -> layer{i} lr*=0.5**(max(i) + 1 - i)
head.* -> head
expect count(head) == 2
"""


class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Linear(3, 4)
        self.layers = nn.ModuleDict({str(i): nn.Linear(4, 4) for i in range(4)})
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.embed(x)
        for layer in self.layers.values():
            x = layer(x)
        return self.head(x)


def stage(whole, names):
    """As torchtitan cuts a model: a copy without what other stages have."""
    made = copy.deepcopy(whole)
    for name in ("embed", "head"):
        if name not in names:
            setattr(made, name, None)
    for number in list(made.layers):
        if number not in names:
            del made.layers[number]
    return made


def test_stages_have_the_groups_and_the_numbers_of_the_whole():
    whole = Whole()
    rules = grouper.parse(RULES)
    report = grouper.check(whole, rules)
    groups = {}
    for names in (("embed", "0", "1"), ("2", "3", "head")):
        part = stage(whole, names)
        optimizer, scheduler = grouper.build(part, report, steps=10, prefix="")
        groups |= {group["name"]: group for group in optimizer.param_groups}
        own = {id(parameter) for parameter in part.parameters()}
        assert own == {id(p) for g in optimizer.param_groups for p in g["params"]}
        assert grouper.plan(part, report, steps=10) == scheduler.plan
    of_whole = grouper.build_optimizer(whole, report).param_groups
    assert list(groups) == [group["name"] for group in of_whole]
    for group in of_whole:
        assert group["lr"] == (groups[group["name"]].get("initial_lr"))
        assert group["param_names"] == groups[group["name"]]["param_names"]


def test_rules_on_a_stage_alone_are_dead_rules_and_of_a_report_they_are_not():
    whole = Whole()
    part = stage(whole, ("2", "3", "head"))
    with pytest.raises(grouper.GroupingError, match="matches no parameter"):
        grouper.build_optimizer(part, grouper.parse(RULES))
    report = grouper.check(whole, grouper.parse(RULES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grouper.build_optimizer(part, report, prefix="")


def test_names_that_are_shorter_in_the_part():
    whole = Whole()
    report = grouper.check(whole, grouper.parse(RULES))
    part = whole.layers["2"]
    optimizer, _ = grouper.build(part, report, steps=10, prefix="layers.2.")
    (group,) = optimizer.param_groups
    assert group["name"] == "layer2"
    assert group["param_names"] == ["layers.2.weight", "layers.2.bias"]
    assert group["initial_lr"] == 1e-2 * 0.5**2
    (bare,) = grouper.param_groups(part, report, prefix="layers.2.", names=False)
    assert bare["params"][0] is part.weight


def test_a_part_that_is_not_called_one_is_a_warning():
    whole = Whole()
    report = grouper.check(whole, grouper.parse(RULES))
    with pytest.warns(grouper.GroupingWarning, match=r'lacks .*taken as a part.*prefix=""'):
        grouper.build_optimizer(stage(whole, ("2", "head")), report)


def test_what_is_no_part_is_refused_and_the_way_out_is_said():
    whole = Whole()
    report = grouper.check(whole, grouper.parse(RULES))
    other = Whole()
    other.more = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"another model: this one also has `more.weight`"):
        grouper.build_optimizer(other, report)
    with pytest.raises(ValueError, match=r'lacks `embed.weight`.*prefix="layers.0."'):
        grouper.build_optimizer(nn.ModuleDict({"a": whole.layers["1"]})["a"], report)
    wide = Whole()
    wide.layers["3"] = nn.Linear(4, 9)
    with pytest.raises(ValueError, match=r"`layers.3.weight` of shape \(9, 4\), and there it is"):
        grouper.build_optimizer(stage(wide, ("3",)), report, prefix="")
    with pytest.raises(TypeError, match="a report of the whole"):
        grouper.build_optimizer(whole.head, grouper.parse(RULES), prefix="head.")


def test_stages_train_as_the_whole_and_resume_by_name():
    whole, other = Whole(), Whole()
    report = grouper.check(whole, grouper.parse(RULES))
    optimizer, scheduler = grouper.build(whole, report, steps=6)
    stages = [
        nn.ModuleDict({"embed": other.embed, "layers": other.layers}),
        nn.ModuleDict({"head": other.head}),
    ]
    built = [grouper.build(part, report, steps=6, prefix="") for part in stages]
    x = torch.randn(5, 3)
    for _ in range(6):
        for made, every in ((whole, [(optimizer, scheduler)]), (other, built)):
            made.zero_grad()
            made(x).square().mean().backward()
            for each, clock in every:
                each.step()
                clock.step()
    assert all(map(torch.equal, whole.parameters(), other.parameters()))
    of_stage = grouper.build(stages[1], report, steps=6, prefix="")[0]
    with pytest.warns(grouper.GroupingWarning, match="10 dropped"):
        of_stage.load_state_dict(optimizer.state_dict())
    for p in stages[1].parameters():
        assert torch.equal(of_stage.state[p]["exp_avg"], built[1][0].state[p]["exp_avg"])


def test_unfreezing_a_part_and_freezing_its_statistics():
    class Norms(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.BatchNorm1d(3), nn.BatchNorm1d(3)

    whole = Norms()
    text = "optimizer SGD lr=1; a.* -> a freeze; else -> b; optional a.weight -> lr*=0.1"
    report = grouper.check(whole, grouper.parse(text))
    part = nn.ModuleDict({"a": whole.a})
    assert grouper.freeze_statistics(part, report, prefix="").modules == ("a",)
    assert grouper.freeze_statistics(whole.a, report, prefix="a.").modules == ("",)
    with pytest.raises(ValueError, match="the rules leave no parameter to train"):
        grouper.build_optimizer(part, report, prefix="")
    optimizer = grouper.build_optimizer(nn.ModuleDict({"b": whole.b}), report, prefix="")
    unfrozen = report.unfreeze("a")
    with pytest.raises(ValueError, match=r"this one lacks `b.weight`|does not have the report's"):
        grouper.add_groups(optimizer, whole.a, unfrozen)
