"""Freezing, and unfreezing at an epoch: training that goes on as by hand."""

import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import grouper  # noqa: E402

RULES = """
optimizer SGD lr=0.1 momentum=0.9
warmup steps=2
schedule linear final=0.1 every=step

backbone.* -> backbone freeze
else       -> head
split kind {
    *.bias -> bias
    else   -> weight weight_decay=0.01
}
optional backbone.* -> lr*=0.5
"""
STEPS, THAW, STOP = 12, 5, 8


def model():
    torch.manual_seed(0)
    made = nn.ModuleDict({"backbone": nn.Linear(3, 4), "head": nn.Linear(4, 2)})
    made.forward = lambda x: made["head"](made["backbone"](x).tanh())
    return made


def step(made, optimizer, number):
    torch.manual_seed(number)
    optimizer.zero_grad()
    made.forward(torch.randn(5, 3)).square().mean().backward()
    optimizer.step()


def by_hand(rate):
    """The same run, hand-written in torch: `rate(step)` is what the plan says."""
    made = model()
    made["backbone"].requires_grad_(False)
    head, backbone = made["head"], made["backbone"]
    decayed = {"weight_decay": 0.01}
    optimizer = torch.optim.SGD(
        [{"params": [head.bias]}, {"params": [head.weight], **decayed}], lr=0.1, momentum=0.9
    )
    for number in range(STEPS):
        if number == THAW:
            backbone.requires_grad_(True)
            optimizer.add_param_group({"params": [backbone.bias]})
            optimizer.add_param_group({"params": [backbone.weight], **decayed})
        for index, group in enumerate(optimizer.param_groups):
            group["lr"] = rate(number) * (0.5 if index > 1 else 1)
        step(made, optimizer, number)
    return made


def unfrozen(made, optimizer, scheduler, report):
    report = report.unfreeze("backbone")
    grouper.add_groups(optimizer, made, report)
    plan = grouper.plan(made, report, steps_per_epoch=4, epochs=3)
    new = plan.scheduler(optimizer)
    new.load_state_dict(scheduler.state_dict())
    return new, report


def run(rules=RULES, steps=STEPS):
    made = model()
    report = grouper.check(made, grouper.parse(rules))
    optimizer = grouper.build_optimizer(made, report)
    plan = grouper.plan(made, report, steps_per_epoch=4, epochs=3)
    scheduler = plan.scheduler(optimizer)
    for number in range(steps):
        if number == THAW:
            before = {g["name"]: g["lr"] for g in optimizer.param_groups}
            scheduler, report = unfrozen(made, optimizer, scheduler, report)
            after = {g["name"]: g["lr"] for g in optimizer.param_groups}
            assert {name: after[name] for name in before} == before
            assert set(after) - set(before) == {"backbone/bias", "backbone/weight"}
        step(made, optimizer, number)
        scheduler.step()
    return made, optimizer, scheduler, plan


def same(left, right):
    return all(map(torch.equal, left.parameters(), right.parameters()))


def test_a_run_with_an_unfreeze_is_the_hand_written_one():
    made, _, _, plan = run()
    twin = by_hand(lambda number: plan.at(number)["head/bias"]["lr"])
    assert same(made, twin)
    assert not same(made, model())


@pytest.mark.parametrize("optimizer", ["SGD lr=0.1 momentum=0.9", "AdamW lr=0.1", "Adagrad lr=0.1"])
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_a_run_goes_on_after_an_unfreeze_from_what_was_saved(optimizer, several):
    rules = RULES.replace("optimizer SGD lr=0.1 momentum=0.9", f"optimizer {optimizer}")
    if several:
        rules = rules.replace("*.bias -> bias", "*.bias -> bias optimizer=other")
        rules = rules.replace("\nwarmup", "\noptimizer RMSprop as other lr=0.01\nwarmup")
    whole = run(rules)[0]
    first, optimizer, scheduler, _ = run(rules, STOP)
    saved = copy.deepcopy([part.state_dict() for part in (first, optimizer, scheduler)])

    made = model()
    report = grouper.check(made, grouper.parse(rules)).unfreeze("backbone")
    parts = [made, grouper.build_optimizer(made, report)]
    plan = grouper.plan(made, report, steps_per_epoch=4, epochs=3)
    parts.append(plan.scheduler(parts[1]))
    for part, state in zip(parts, saved, strict=True):
        part.load_state_dict(state)
    for number in range(STOP, STEPS):
        step(made, parts[1], number)
        parts[2].step()
    assert same(made, whole)


def test_what_is_unfrozen_has_the_options_of_the_other_rules_or_those_given():
    report = grouper.check(model(), grouper.parse(RULES))
    grouping = report.grouping.unfreeze("backbone")
    assert [group.name for group in grouping.groups[2:]] == ["backbone/bias", "backbone/weight"]
    assert grouping.groups[3].options == {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}
    assert grouping.frozen == ()
    given = report.grouping.unfreeze("backbone", lr=1e-3, warmup_start=0.0)
    assert [group.options["lr"] for group in given.groups] == [0.1, 0.1, 1e-3, 1e-3]
    assert given.groups[2].plan == {"warmup_start": 0.0}
    assert given.groups[2].place == "unfreeze(lr=...)"
    only = report.grouping.unfreeze("backbone/weight")
    assert [p.name for p in only.frozen] == ["backbone.bias"]
    assert only.unfreeze("backbone/bias").frozen == ()


def test_an_unfrozen_group_has_a_name_of_its_own():
    text = "a.* -> stem freeze; b.* -> stem lr=1"
    made = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)})
    grouping = grouper.check(made, grouper.parse(text)).grouping.unfreeze("stem")
    assert [group.name for group in grouping.groups] == ["stem", "stem#2"]


def test_a_label_that_froze_nothing_is_refused():
    grouping = grouper.check(model(), grouper.parse(RULES)).grouping
    for label, words in [
        ("bakcbone", "did you mean `backbone`?"),
        ("head", "it is trained, in `head/bias`, `head/weight`"),
        ("xyz", "frozen are `backbone`, `bias`, `weight`"),
    ]:
        with pytest.raises(ValueError, match=words):
            grouping.unfreeze(label)
    with pytest.raises(ValueError, match="no rule froze anything under `backbone`"):
        grouping.unfreeze("backbone").unfreeze("backbone")
    bare = grouper.check(model(), grouper.parse("* -> all lr=1")).grouping
    with pytest.raises(ValueError, match="the rules freeze nothing"):
        bare.unfreeze("backbone")
    with pytest.raises(ValueError, match="the rules file has errors"):
        grouper.check(model(), grouper.parse("* => all")).unfreeze("backbone")


def test_rules_that_disagree_about_what_is_unfrozen_are_refused():
    text = (
        "backbone.* -> backbone freeze; * -> all lr=1; *.bias -> bias lr=2; override head.* -> lr=3"
    )
    grouping = grouper.check(model(), grouper.parse(text)).grouping
    with pytest.raises(ValueError, match=r"several values of `lr` to its `backbone.bias`"):
        grouping.unfreeze("backbone")
    assert len(grouping.unfreeze("backbone", lr=3).groups) == 4


def test_adding_is_refused_where_it_cannot_be_done_and_changes_nothing():
    rules = grouper.parse(
        "optimizer SGD lr=0.1\noptimizer LBFGS as other lr=1\n"
        "backbone.* -> backbone freeze; else -> head\noptional backbone.* -> optimizer=other"
    )
    made = model()
    report = grouper.check(made, rules)
    optimizer = grouper.build_optimizer(made, report)
    unfrozen = report.unfreeze("backbone")
    with pytest.raises(ValueError, match="the running optimizer has no `other`"):
        grouper.add_groups(optimizer, made, unfrozen)
    with pytest.raises(ValueError, match="does not have the report's group `head`"):
        grouper.add_groups(torch.optim.SGD([made["head"].weight]), made, unfrozen)
    with pytest.raises(ValueError, match=r"another model: this one lacks `head.weight`.*prefix="):
        grouper.add_groups(optimizer, made["head"], unfrozen)
    assert len(optimizer.param_groups) == 1
    assert not made["backbone"].weight.requires_grad


def test_an_unfreeze_adds_to_merged_groups_and_joins_its_own():
    made = model()
    report = grouper.check(made, grouper.parse(RULES.replace(" weight_decay=0.01", "")))
    optimizer = grouper.build_optimizer(made, report, merge=True)
    added = grouper.add_groups(optimizer, made, report.unfreeze("backbone"), merge=True)
    assert added == ("backbone/bias+backbone/weight",)
    names = [group["name"] for group in optimizer.param_groups]
    assert names == ["head/bias+head/weight", *added]
    assert grouper.add_groups(optimizer, made, report.unfreeze("backbone"), merge=True) == ()


def test_unfreezing_gives_back_what_binding_froze_alone():
    for build in (grouper.param_groups, grouper.build_optimizer):
        made = model()
        made["backbone"].bias.requires_grad_(False)
        handle = build(made, grouper.parse(RULES))
        assert not made["backbone"].weight.requires_grad
        handle.unfreeze()
        assert made["backbone"].weight.requires_grad
        assert not made["backbone"].bias.requires_grad


def test_groups_go_to_an_optimizer_of_ones_own():
    rules = grouper.parse(
        "backbone.* -> backbone freeze; else -> head lr=0.1; optional backbone.* -> lr=0.2"
    )
    made = model()
    report = grouper.check(made, rules)
    optimizer = torch.optim.Adam(grouper.param_groups(made, report), lr=1, amsgrad=True)
    assert grouper.add_groups(optimizer, made, report.unfreeze("backbone")) == ("backbone",)
    assert optimizer.param_groups[1]["amsgrad"]
    step(made, optimizer, 1)
    assert set(optimizer.state) == set(made.parameters())


def test_what_is_unfrozen_is_held_to_its_optimizer():
    text = "optimizer {} lr=0.1\nbackbone.* -> backbone freeze; head.weight -> head\nelse -> freeze"
    report = grouper.check(model(), grouper.parse(text.format("SGD")))
    assert report.ok
    for options, words in [
        ({"lr": -1}, r"`lr` of `SGD` must be a non-negative number, not `-1`"),
        ({"betas": (0.9, 0.99)}, "`SGD` has no option `betas`"),
        ({"nesterov": True}, "needs a `momentum` above 0"),
    ]:
        with pytest.raises(ValueError, match=words):
            report.unfreeze("backbone", **options)
    for name, words in [("LBFGS", "takes only one group"), ("Muon", "takes only matrices")]:
        made = model()
        report = grouper.check(made, grouper.parse(text.format(name)))
        optimizer = grouper.build_optimizer(made, report)
        with pytest.raises(grouper.GroupingError, match=words):
            grouper.add_groups(optimizer, made, report.unfreeze("backbone"))
        assert not made["backbone"].weight.requires_grad


def test_a_wrapped_optimizer_gets_its_groups_inside():
    class Wrapper(torch.optim.Optimizer):
        """As Lightning and Accelerate wrap: the real one is its `optimizer`."""

        def __init__(self, optimizer):
            self.optimizer = optimizer

        param_groups = property(lambda self: self.optimizer.param_groups)

    made = model()
    report = grouper.check(made, grouper.parse(RULES))
    inner = grouper.build_optimizer(made, report)
    added = grouper.add_groups(Wrapper(inner), made, report.unfreeze("backbone"))
    assert added == ("backbone/bias", "backbone/weight")
    assert [group["name"] for group in inner.param_groups][2:] == list(added)
    step(made, inner, 1)
    assert set(inner.state) == set(made.parameters())
