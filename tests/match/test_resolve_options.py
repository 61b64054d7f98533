"""How a parameter gets its options, case by case."""

import pytest
from support.builders import UNKNOWN, grouped, inventory, parameter, rules, small_yolo
from support.passes import assign

import grouper
from grouper.group.form_groups import form_groups as group


def options(text, model, **variables):
    _, assignment = grouped(text, model, **variables)
    return {a.parameter.name: dict(a.options) for a in assignment.parameters}


def test_two_rules_compose():
    groups, _ = grouped("model.24.* -> head lr=0.01; *.bias -> bias warmup_start=0.1", small_yolo())
    assert groups == {
        "head": ["model.24.m.0.weight"],
        "head/bias": ["model.24.m.0.bias"],
        "bias": ["model.0.bn.bias"],
    }


def test_two_splits_give_their_product():
    groups, _ = grouped(
        """
        split part { in @Detect -> head; else -> body }
        split kind { *.bias -> bias; else @*Norm* -> norm; else -> weight }
        """,
        small_yolo(),
    )
    assert list(groups) == ["head/bias", "head/weight", "body/bias", "body/norm", "body/weight"]


def test_an_override_wins_and_two_that_disagree_conflict():
    text = "* -> all lr=1; *.bias -> lr=2; override model.24.* -> lr=3"
    _, assignment = grouped(text, small_yolo())
    by_name = {a.parameter.name: a for a in assignment.parameters}
    assert by_name["model.24.m.0.bias"].options["lr"] == 3
    assert by_name["model.0.bn.bias"].conflicts == ("lr",)
    _, assignment = grouped(text + "\noverride *.bias -> lr=4", small_yolo())
    by_name = {a.parameter.name: a for a in assignment.parameters}
    assert by_name["model.24.m.0.bias"].conflicts == ("lr",)


def test_equal_values_do_not_conflict_and_true_is_not_one():
    model = inventory("a.weight")
    _, assignment = grouped("* -> x lr=1 nesterov=true; *.weight -> y lr=1.0", model)
    assert assignment.parameters[0].conflicts == ()
    _, assignment = grouped("* -> x nesterov=true; *.weight -> y nesterov=1", model)
    assert assignment.parameters[0].conflicts == ("nesterov",)


def test_layer_decay_needs_no_depth():
    model = inventory(*[f"layers.{i}.w" for i in range(4)])
    found = options("layers.{i}.* -> block{i} lr=0.1 * 0.5 ** (max(i) - i)", model)
    assert [o["lr"] for o in found.values()] == [0.1 * 0.5**k for k in (3, 2, 1, 0)]


def test_facts_of_the_parameter_are_numbers():
    model = inventory(parameter("a.weight", (8, 4, 3, 3)))
    text = "* -> x lr=64 / fan_in; *.weight -> y eps=fan_out * ndim + shape[-1] + numel"
    assert options(text, model)["a.weight"] == {"lr": 64 / 36, "eps": 72 * 4 + 3 + 288}


def test_defaults_come_first_and_multipliers_last():
    text = "let base=0.01; optimizer SGD lr=base momentum=0.9\n*.bias -> lr*=2; * -> all lr*=10"
    found = options(text, inventory("a.bias", "a.weight"))
    assert found["a.bias"] == {"lr": 0.01 * 2 * 10, "momentum": 0.9}
    assert found["a.weight"] == {"lr": 0.01 * 10, "momentum": 0.9}


def test_several_optimizers():
    text = """
    optimizer Muon as hidden lr=0.02
    optimizer AdamW as rest lr=0.001 betas=(0.9, 0.95)
    split which { ndim >= 2 -> matrix; else -> vector optimizer=rest }
    """
    assignment, _ = assign(rules(text), inventory("a.weight", parameter("a.bias", (4,))))
    matrix, vector = group(assignment).groups
    assert (matrix.optimizer, dict(matrix.options)) == ("hidden", {"lr": 0.02})
    assert (vector.optimizer, dict(vector.options)) == (
        "rest",
        {"lr": 0.001, "betas": (0.9, 0.95)},
    )


def test_what_is_frozen_is_in_no_group_and_needs_no_rule():
    model = inventory("a.weight", parameter("b.weight", trainable=False), "c.weight")
    assignment, _ = assign(rules("a.* -> x; c.* -> freeze"), model)
    grouping = group(assignment)
    assert [p.name for p in grouping.frozen] == ["b.weight", "c.weight"]
    assert not any(a.uncovered_splits for a in assignment.parameters)


def test_groups_without_a_label_and_groups_with_the_same_one():
    model = inventory(parameter("a.w", (4, 2)), parameter("b.w", (4, 8)))
    groups, _ = grouped("* -> lr=1/fan_in", model)
    assert list(groups) == ["default", "default#2"]


@pytest.mark.parametrize("names", [("layers.7.w", "out"), ("out", "layers.7.w")])
@pytest.mark.parametrize("rule", ["out and layers.{i}.*", "out and in layers.{i}"])
def test_a_number_is_that_of_the_name_in_which_it_was_captured(rule, names):
    model = inventory(parameter(names))
    report = grouper.check(model, grouper.parse(f"{rule} -> layer{{i}} lr=i\nelse -> rest lr=1"))
    (group,) = report.grouping.groups
    assert (group.name, group.options["lr"]) == ("layer7", 7)


def test_tied_parameters_match_by_any_name():
    model = inventory(parameter(("embed.weight", "head.weight")), "x.weight")
    groups, assignment = grouped("head.* -> head; else -> rest", model)
    assert groups == {"head": ["embed.weight"], "rest": ["x.weight"]}
    assert assignment.parameters[0].matches[0].name_index == 1


def test_questions_without_an_answer_are_kept():
    model = inventory("a.weight", classes={"a": UNKNOWN})
    assignment, _ = assign(rules("@Conv2d -> conv; else -> rest"), model)
    (unknown,) = assignment.unanswered
    assert (unknown.question, [p.name for p in unknown.parameters]) == ("@Conv2d", ["a.weight"])
    assert "`my.model.Block`" in unknown.reason


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("* -> x lr=1/fan_in", "GR060", "`fan_in` is undefined"),
        ("* -> x lr=1/(ndim-1)", "GR060", "divides by zero"),
        ("* -> x lr*=2", "GR061", "nothing sets it"),
        ("dtype == 16 -> x; else -> y", "GR062", "can never be equal"),
    ],
)
def test_values_that_fail_are_one_finding(text, code, words):
    model = inventory(parameter("a.bias", (3,)), parameter("b.bias", (4,)))
    _, findings = assign(rules(text), model)
    assert [finding.code.id for finding in findings] == [code]
    assert words in findings[0].message
