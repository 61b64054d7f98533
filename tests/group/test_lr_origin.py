"""Each group of a plan knows the rule that set its lr."""

import pytest
from support.builders import inventory, small_yolo

import grouper
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree


def places(text, model=None):
    rules = grouper.parse(text, "my.rules")
    report = grouper.check(model or small_yolo(), rules)
    assert report.ok, [f.message for f in report.findings]
    plan = grouper.plan(model or small_yolo(), rules, steps_per_epoch=10, epochs=2)
    return {group.name: group.place for group in plan.groups}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("* -> all lr=0.1", "my.rules:1:10"),
        ("optimizer SGD lr=0.1\n* -> all", "my.rules:1:15"),
        ("optimizer SGD lr=0.1\n* -> all lr=0.2", "my.rules:2:10"),
        ("optimizer SGD lr=0.1\n* -> all lr*=2", "my.rules:1:15, multiplied at my.rules:2:10"),
        (
            "* -> all lr=0.1\n* -> momentum=0.9 lr*=2\n* -> lr*=3",
            "my.rules:1:10, multiplied at my.rules:2:19 and my.rules:3:6",
        ),
        ("* -> all lr=0.1\noverride * -> lr=0.2", "my.rules:2:15"),
        ("* -> all lr=0.1\n* -> lr=0.1", "my.rules:1:10 and my.rules:2:6"),
        (
            "optimizer SGD lr=0.1\noptimizer AdamW as adam lr=0.2\n* -> all optimizer=adam",
            "my.rules:2:25",
        ),
    ],
)
def test_the_place_is_that_of_the_option_that_counts(text, place):
    assert places(text) == {"all": place}


def test_rules_of_one_label_are_all_named():
    text = "\n".join(f'"p{i}" -> all lr=0.1' for i in range(5))
    model = inventory(*(f"p{i}" for i in range(5)))
    first = [f"my.rules:{line}:{13}" for line in (1, 2, 3)]
    assert places(text, model) == {"all": "; ".join([*first, "2 more places"])}


def test_a_rule_made_in_python_is_its_own_place():
    glob = tree.Glob((tree.Star(),))
    option = tree.Option("lr", "=", tree.Number(0.1))
    label = tree.Label((tree.Text("all"),))
    rules = grouper.RuleSet((Rule(glob, label, (option,)),))
    plan = grouper.plan(small_yolo(), rules, steps_per_epoch=1, epochs=1)
    assert plan.groups[0].place == "`* -> all lr=0.1`"


def test_the_place_is_no_part_of_what_makes_two_plans_equal():
    one, two = (
        grouper.plan(
            small_yolo(), grouper.parse("* -> all lr=1", path), steps_per_epoch=1, epochs=1
        )
        for path in ("one.rules", "two.rules")
    )
    assert one == two
    assert one.groups[0].place != two.groups[0].place
