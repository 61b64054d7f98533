"""Laws of matching, assigning and grouping, on generated models and rules."""

import random

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support import builders
from support.builders import RULES, SELECTORS, models
from support.naive_rules import Reading
from support.passes import assign

from grouper.group.form_groups import form_groups as group
from grouper.language.resolve.resolve import resolve
from grouper.language.ruleset import RuleSet
from grouper.language.syntax.parser import parse_selector
from grouper.match.compile_selector import compile_selector
from grouper.options.values import same
from grouper.text.source import Source


def rule_set(lines):
    made = resolve(Source("\n".join(lines), "law.rules"))
    assume(not made.findings)
    return made


@settings(max_examples=300)
@given(models(), SELECTORS)
def test_the_matcher_agrees_with_the_reference(model, text):
    selector = parse_selector(text)
    test, reading = compile_selector(selector, model, {}), Reading(RuleSet(), model)
    for parameter in model.parameters:
        answer, captures = test(parameter), reading.matches(selector, parameter)
        assert answer.truth == (captures is not None)
        assert captures is None or answer.captures == captures


@given(models(), st.lists(RULES, min_size=1, max_size=5), st.randoms())
def test_reordering_plain_rules_changes_no_options(model, lines, shuffler):
    rules = rule_set(["optimizer SGD lr=0.3 weight_decay=0.1", *lines])
    shuffled = list(lines)
    shuffler.shuffle(shuffled)
    again = rule_set(["optimizer SGD lr=0.3 weight_decay=0.1", *shuffled])
    first, _ = assign(rules, model)
    second, _ = assign(again, model)
    for one, other in zip(first.parameters, second.parameters, strict=True):
        assert one.options.keys() == other.options.keys()
        assert all(same(one.options[key], other.options[key]) for key in one.options)
        assert set(one.conflicts) == set(other.conflicts)
        assert set(one.labels) == set(other.labels)
        assert one.frozen == other.frozen


@given(models(), st.lists(RULES, max_size=4))
def test_groups_and_frozen_partition_the_parameters(model, lines):
    rules = rule_set([*lines, "else -> rest"])
    assignment, findings = assign(rules, model)
    grouping = group(assignment)
    members = [p for g in grouping.groups for p in g.parameters] + list(grouping.frozen)
    assert sorted(p.name for p in members) == sorted(p.name for p in model.parameters)
    order = {p.name: i for i, p in enumerate(model.parameters)}
    for g in grouping.groups:
        places = [order[p.name] for p in g.parameters]
        assert places == sorted(places)
    names = [g.name for g in grouping.groups]
    assert len(set(names)) == len(names)
    del findings


@given(models(), st.lists(RULES, min_size=1, max_size=4), st.integers(0, 4))
def test_a_rule_that_matches_nothing_changes_nothing(model, lines, at):
    idle = '"there.is.no.such.parameter" -> nobody lr=7'
    first, _ = assign(rule_set(lines), model)
    second, _ = assign(rule_set([*lines[:at], idle, *lines[at:]]), model)
    pairs = zip(first.parameters, second.parameters, strict=True)
    assert all(a.options == b.options and a.labels == b.labels for a, b in pairs)
    assert [g.name for g in group(first).groups] == [g.name for g in group(second).groups]


@given(models(), SELECTORS)
def test_else_takes_exactly_the_rest(model, selector):
    rules = rule_set([f"split s {{ {selector} -> a; else -> b }}"])
    assignment, _ = assign(rules, model)
    for assigned in assignment.parameters:
        assert len(assigned.matches) == 1
        assert not assigned.overlapping_splits


def test_multipliers_are_the_same_bits_in_every_order():
    model = builders.inventory("a.weight")
    factors = [0.1, 0.3, 0.7, 1.1, 3.3]
    results = set()
    for seed in range(20):
        random.Random(seed).shuffle(factors)
        lines = ["optimizer SGD lr=0.01", *(f"* -> lr*={factor}" for factor in factors)]
        assignment, _ = assign(resolve(Source("\n".join(lines))), model)
        results.add(assignment.parameters[0].options["lr"].hex())
    assert len(results) == 1
