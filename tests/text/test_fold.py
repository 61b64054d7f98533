"""Folded lists of names stand for exactly the names."""

import re

from hypothesis import given
from hypothesis import strategies as st
from support.builders import NAMES, inventory

import grouper
from grouper.text.fold import fold, folded_list

SIGNS = st.text(st.sampled_from(["a", ".", "*", "{", "}", ",", " ", '"', "\\", "[", "0", "ü"]))
NAMES_AND_SIGNS = st.one_of(NAMES, NAMES, SIGNS.filter(bool))


def expanded(pattern):
    """The names that a pattern without wildcards stands for."""
    if pattern.startswith('"'):
        return [re.sub(r"\\(.)", r"\1", pattern[1:-1])]
    head, open_, rest = pattern.partition("{")
    if not open_:
        return [pattern]
    depth, parts, end = 1, [""], 0
    for end, sign in enumerate(rest):  # noqa: B007
        depth += (sign == "{") - (sign == "}")
        if not depth:
            break
        if sign == "," and depth == 1:
            parts.append("")
        else:
            parts[-1] += sign
    inside = [name for part in parts for name in _part(part, alone=len(parts) == 1)]
    return [f"{head}{one}{tail}" for one in inside for tail in expanded(rest[end + 1 :])]


def _part(part, alone):
    numbers = re.fullmatch(r"(\d+)\.\.(\d+)", part) if alone else None
    if numbers:
        return [str(n) for n in range(int(numbers[1]), int(numbers[2]) + 1)]
    return expanded(part)


@given(st.lists(NAMES_AND_SIGNS, max_size=30, unique=True))
def test_patterns_stand_for_the_names_each_once(names):
    found = [name for pattern in fold(names) for name in expanded(pattern)]
    assert sorted(found) == sorted(names)


@given(st.lists(NAMES_AND_SIGNS, min_size=1, max_size=12, unique=True), st.lists(NAMES, max_size=6))
def test_patterns_match_the_names_and_no_others(names, others):
    every = list(dict.fromkeys([*names, *others]))
    rules = grouper.parse("\n".join(f"{pattern} -> a" for pattern in fold(names)))
    report = grouper.check(inventory(*every), rules)
    matched = {a.parameter.name for a in report.assignment.parameters if a.matches}
    assert matched == set(names)


def test_what_people_read():
    names = [f"model.{i}.conv.{w}" for i in range(10) for w in ("weight", "bias")]
    assert fold(names) == ("model.{0..9}.conv.{weight,bias}",)
    assert fold(["a.b"]) == ("a.b",)
    assert fold(["l.0.w", "l.1.w", "l.5.w"]) == ("l.{0,1,5}.w",)
    assert fold([]) == ()


def test_endings_of_any_length_are_one_pattern():
    endings = ("conv.weight", "bn.weight", "bn.bias")
    names = [f"model.{i}.{ending}" for i in (0, 1, 3) for ending in endings]
    assert fold(names) == ("model.{0,1,3}.{conv.weight,bn.{weight,bias}}",)
    blocks = ("norm1", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    names = [f"blocks.{i}.{b}.{w}" for i in range(12) for b in blocks for w in ("weight", "bias")]
    assert fold(names) == ("blocks.{0..11}.{norm1,attn.{qkv,proj},mlp.{fc1,fc2}}.{weight,bias}",)


def test_a_name_that_begins_another():
    assert fold(["a", "a.b", "a.c"]) == ("a", "a.{b,c}")


def test_names_with_signs_of_patterns_stand_in_quotes():
    names = ["a.*", "a.b", 'c "d"', "{0..2}", "0", "1", "2"]
    assert fold(names) == ('"a.*"', "a.b", '"c \\"d\\""', '"{0..2}"', "{0..2}")


def test_long_and_deep_endings_stay_apart():
    names = [f"a.{'x' * 30}{i}.{i}.c" for i in range(3)]
    assert fold(names) == tuple(names)


def test_a_list_with_a_limit():
    assert folded_list(["a.b", "c.d.e", "f"], 2) == "`a.b`, `c.d.e` and 1 more pattern"


def test_numbers_that_are_too_long_to_be_any():
    long = "1" * 5000
    assert fold([f"{long}1.w", f"{long}2.w"]) == (f"{{{long}1,{long}2}}.w",)


def test_many_deep_names_are_left_as_they_are():
    names = [f"{i}{'.a' * 199}" for i in range(2000)]
    assert fold(names) == tuple(names)
