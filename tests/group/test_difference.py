"""What changes between two reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import inventory, parameter, small_yolo

import grouper

RULES = """
optimizer SGD lr=0.1 momentum=0.9
warmup epochs=3
model.24.* -> head lr=0.2
else *.bias -> bias weight_decay=0
else -> rest weight_decay=1e-4
"""
OTHERS = {
    "lr": RULES.replace("lr=0.2", "lr=0.3"),
    "label": RULES.replace("-> bias", "-> biases"),
    "frozen": RULES.replace("-> bias weight_decay=0", "-> freeze"),
    "moved": RULES.replace("model.24.*", "*.24.*.weight"),
    "warmup": RULES.replace("epochs=3", "epochs=2"),
    "optimizer": RULES.replace("SGD", "RMSprop"),
    "true and 1": RULES.replace("momentum=0.9", "momentum=0.9 nesterov=true"),
}


def report(rules=RULES, model=None):
    return grouper.check(model or small_yolo(), grouper.parse(rules, f"{hash(rules)}.rules"))


@pytest.mark.parametrize("name", OTHERS)
def test_every_change_is_one(name):
    diff = grouper.diff(report(), report(OTHERS[name]))
    assert not diff.same
    back = grouper.diff(report(OTHERS[name]), report())
    there = [(c.before.key, c.after.key, c.parameters) for c in diff.changes]
    assert [(c.after.key, c.before.key, c.parameters) for c in back.changes] == there
    assert diff.changed + diff.unchanged == 5


@given(st.sampled_from([RULES, *OTHERS.values()]), st.sampled_from([RULES, *OTHERS.values()]))
def test_a_diff_is_empty_where_groups_are_equal(first, second):
    one, other = report(first), report(second)
    diff = grouper.diff(one, other)
    assert diff.same == (first == second)
    if one.grouping.digest == other.grouping.digest and one.rules == other.rules:
        assert diff.same


def test_what_it_says():
    diff = grouper.diff(report(), report(OTHERS["frozen"]))
    (change,) = diff.changes
    assert (change.before.name, change.after.name) == ("bias", "frozen")
    assert change.parameters == ("model.0.bn.bias",)
    assert change.options == {}
    diff = grouper.diff(report(), report(OTHERS["lr"]))
    (change,) = diff.changes
    assert change.options == {"lr": (0.2, 0.3)}
    assert "lr: 0.2 -> 0.3" in str(diff)
    assert repr(diff).endswith("2 tensors change>")
    diff = grouper.diff(report(), report(OTHERS["warmup"]))
    assert not diff.changes
    assert "+ warmup epochs=2" in str(diff)


ANY = "optimizer SGD lr=0.1\noptional *.bias -> bias weight_decay=0; else -> rest"


def one(name, *shape):
    return parameter(name, shape)


def test_two_models():
    old = inventory(one("a.weight", 4, 4), one("b.weight", 2, 4), one("b.bias", 2), path="old")
    new = inventory(one("a.weight", 4, 4), one("c.weight", 2, 4), one("d.weight", 9, 4), path="new")
    diff = grouper.diff(report(ANY, old), report(ANY, new))
    assert diff.paths == ("old", "new")
    assert diff.renamed == (("b.weight", "c.weight"),)
    assert [c.parameters for c in diff.appeared] == [("d.weight",)]
    assert [c.parameters for c in diff.disappeared] == [("b.bias",)]
    assert not diff.changes
    assert "guessed from shape" in str(diff)


def test_renaming_alone_changes_nothing_where_the_group_stays():
    old = inventory(*(one(f"layers.{i}.weight", 4, 4) for i in range(4)))
    new = inventory(*(one(f"blocks.{i}.weight", 4, 4) for i in range(4)))
    diff = grouper.diff(report(ANY, old), report(ANY, new))
    assert diff.same
    assert len(diff.renamed) == 4
    more = inventory(*(one(f"blocks.{i}.weight", 4, 4) for i in range(5)))
    diff = grouper.diff(report(ANY, old), report(ANY, more))
    assert not diff.renamed
    assert not diff.same


def test_a_tied_parameter_is_known_by_any_of_its_names():
    old = inventory(parameter(("a.weight", "b.weight")))
    new = inventory(parameter(("b.weight", "a.weight")), "c.bias")
    diff = grouper.diff(report(ANY, old), report(ANY, new))
    assert not diff.renamed
    assert [c.parameters for c in diff.appeared] == [("c.bias",)]


def test_reports_with_errors_have_no_groups():
    faulty = report("model.24.* -> head")
    for pair in ((faulty, report()), (report(), faulty)):
        with pytest.raises(grouper.GroupingError, match="GR101"):
            grouper.diff(*pair)
