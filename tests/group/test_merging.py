"""Groups with equal options joined, for the fewest kernels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import models, small_yolo

import grouper
from grouper.options.values import same

PRODUCT = """
optimizer SGD lr=0.1 momentum=0.9
warmup steps=4
split part { model.24.* -> head lr=0.2; else -> body }
split kind { *.bias -> bias; else *.bn.* -> norm; else -> weight }
"""


def merged(text, model):
    report = grouper.check(model, grouper.parse(text))
    return report.grouping.merged(report.inventory)


def test_joined_groups_say_what_they_join():
    grouping = merged(PRODUCT, small_yolo())
    assert [group.name for group in grouping.groups] == [
        "head/bias+head/weight",
        "body/bias+body/norm+body/weight",
    ]
    head, body = grouping.groups
    assert head.labels == ("head", "bias", "weight")
    assert [p.name for p in head.parameters] == ["model.24.m.0.weight", "model.24.m.0.bias"]
    assert body.parameters[0].name == "model.0.conv.weight"
    assert head.options["lr"] == 0.2


def test_an_optimizer_that_is_written_out_is_the_same_as_the_one_it_would_be():
    text = """
    optimizer AdamW lr=0.1
    optimizer SGD as plain lr=0.2
    *.bias -> rest optimizer=AdamW
    else *.bn.* -> norms optimizer=plain
    else -> rest
    """
    groups = grouper.check(small_yolo(), grouper.parse(text)).grouping.groups
    assert [(group.name, group.optimizer) for group in groups] == [
        ("rest", "AdamW"),
        ("norms", "plain"),
    ]


def test_what_differs_in_anything_stays_apart():
    text = "*.bias -> bias {}; *.bn.weight -> norm {}; else -> rest"
    for first, second in [
        ("nesterov=true", "nesterov=1"),
        ("warmup_start=0.1", "warmup_start=0.2"),
        ("lr=0.1", "lr=0.2"),
    ]:
        assert len(merged(text.format(first, second), small_yolo()).groups) == 3
        assert len(merged(text.format(first, first), small_yolo()).groups) == 2
    two = "optimizer SGD as a lr=1; optimizer SGD as b lr=1\n"
    assert len(merged(two + text.format("optimizer=a", "optimizer=b"), small_yolo()).groups) == 2


@given(models(), st.lists(st.sampled_from([0.1, 0.2]), min_size=3, max_size=3))
def test_merging_keeps_every_parameter_and_its_options(model, rates):
    first, second, third = rates
    text = f"split a {{ *.bias -> bias lr={first}; else *.0.* -> a lr={second}; else -> b }}\n"
    report = grouper.check(model, grouper.parse(text + f"ndim == 2 -> m eps={third}; else -> n"))
    before, after = report.grouping, report.grouping.merged(report.inventory)
    options = {p.name: group.options for group in before.groups for p in group.parameters}
    found = {p.name: group.options for group in after.groups for p in group.parameters}
    assert found == options
    assert after.frozen == before.frozen
    names = [group.name for group in after.groups]
    assert len(set(names)) == len(names) <= len(before.groups)
    for index, group in enumerate(after.groups):
        for other in after.groups[index + 1 :]:
            assert set(group.options) != set(other.options) or not all(
                same(group.options[key], other.options[key]) for key in group.options
            )
    assert after.merged(report.inventory) == after


def test_groups_optimizer_and_plan_agree_and_train_as_the_plain_ones():
    torch = pytest.importorskip("torch")
    from torch import nn

    text = PRODUCT.replace("model.24.*", "2.*").replace("*.bn.*", "1.*")

    def run(merge):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
        report = grouper.check(model, grouper.parse(text))
        groups = grouper.param_groups(model, report, merge=merge)
        optimizer = grouper.build_optimizer(model, report, merge=merge)
        plan = grouper.plan(model, report, steps_per_epoch=3, epochs=3, merge=merge)
        names = [group["name"] for group in groups]
        assert names == [group["name"] for group in optimizer.param_groups] == list(plan.at(0))
        scheduler = plan.scheduler(optimizer)
        for _ in range(plan.steps):
            optimizer.zero_grad()
            model(torch.randn(5, 3)).square().mean().backward()
            optimizer.step()
            scheduler.step()
        return len(names), list(model.parameters())

    (many, plain), (few, joined) = run(False), run(True)
    assert (many, few) == (5, 2)
    assert all(map(torch.equal, plain, joined))
