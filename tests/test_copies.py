"""What grouper returns and raises can be copied and sent to other processes, equal afterwards."""

import copy
import multiprocessing
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import grouper
from grouper.model.inventory import Inventory, Parameter
from grouper.options.read_only import ReadOnly

NAMES = ("0.weight", "0.bias", "1.weight", "1.bias")
RULES = """
let base = 0.1
optimizer SGD lr=base momentum=0.9
warmup steps=2
schedule step size=2 gamma=0.5
schedule weight_decay linear final=0.5
0.* -> first warmup_start=0.5 weight_decay=0.1
1.* -> second freeze
"""
COPIES = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    **{
        f"pickle {protocol}": lambda value, p=protocol: pickle.loads(pickle.dumps(value, p))
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


def inventory():
    return Inventory(tuple(Parameter((n,), (4, 4), "float32", True, n) for n in NAMES))


def report(rules=RULES):
    return grouper.check(inventory(), grouper.parse(rules))


def values():
    good, bad = report(), report("a.* -> b lr=1; 0.* -> c")
    assert good.ok
    assert not bad.ok
    return {
        "rules": good.rules,
        "report": good,
        "a report of errors": bad,
        "grouping": good.grouping,
        "assignment": good.assignment,
        "inventory": good.inventory,
        "findings": bad.findings,
        "plan": grouper.plan(inventory(), good, steps_per_epoch=3, epochs=2),
    }


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", values())
def test_a_copy_is_equal(kind, way):
    value = values()[kind]
    made = COPIES[way](value)
    assert type(made) is type(value)
    assert made == value
    assert str(made) == str(value)


@pytest.mark.parametrize("way", COPIES)
def test_a_copied_error_says_the_same(way, tmp_path):
    path = tmp_path / "none.pt"
    path.write_text("none")
    with pytest.raises(grouper.ModelError) as of_model:
        grouper.check(path, report().rules)
    for error in (grouper.GroupingError(report("a.* -> b")), of_model.value):
        made = COPIES[way](error)
        assert type(made) is type(error)
        assert str(made) == str(error)
        assert vars(made) == vars(error)


@pytest.mark.parametrize("way", COPIES)
def test_a_copied_report_is_used_as_the_first(way):
    first = report()
    assert first.assignment.order  # what is kept by `id` must not go along
    made = COPIES[way](first)
    assert made.unfreeze("second") == first.unfreeze("second")
    assert made.grouping.digest == first.grouping.digest
    assert made.grouping.merged(first.inventory) == first.grouping.merged(first.inventory)
    assert [len(each) for each in made.assignment.treated_alike] == [2, 2]
    strict = COPIES[way](report(RULES + "\nstrict"))
    assert grouper.check(inventory(), strict) == grouper.check(inventory(), strict.rules)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["lr=0.1", "lr*=2", "weight_decay=0", "betas=(0.9, 0.99)"])),
    st.sampled_from(
        ["", "optimizer SGD lr=1\n", "let x=(1, 2)\n", "warmup epochs=1\n", "a => b\n"]
    ),
)
def test_any_rule_set_survives(options, head):
    rules = grouper.parse(head + "\n".join(f"{n} -> g{n}" for n in range(3)) + "".join(options))
    made = pickle.loads(pickle.dumps(rules))
    assert (made, made.findings, str(made)) == (rules, rules.findings, str(rules))
    assert copy.deepcopy(rules) == rules


def checked_elsewhere(rules):
    made = grouper.check(inventory(), rules)
    if not made.ok:
        raise grouper.GroupingError(made)
    return made


def test_processes_exchange_rules_reports_and_errors():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(checked_elsewhere, (report().rules,)) == report()
        with pytest.raises(grouper.GroupingError) as caught:
            pool.apply(checked_elsewhere, (grouper.parse("a.* -> b"),))
    assert caught.value.findings == report("a.* -> b").findings


def test_options_cannot_be_changed():
    options = ReadOnly({"lr": 0.1})
    for change in (
        lambda: options.update(lr=1),
        lambda: options.pop("lr"),
        lambda: options.clear(),
        lambda: options.setdefault("a", 1),
        lambda: options.__setitem__("lr", 1),
        lambda: options.__delitem__("lr"),
        lambda: options.__ior__({"lr": 1}),
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            change()
    assert options == {"lr": 0.1}
