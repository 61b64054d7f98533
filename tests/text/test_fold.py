"""Folded lists of names stand for exactly the names."""

from hypothesis import given
from hypothesis import strategies as st
from support.builders import NAMES

from grouper.language.syntax.parser import parse_selector
from grouper.match.globs import compile_glob
from grouper.text.fold import fold


@given(st.lists(NAMES, min_size=1, max_size=12, unique=True), st.lists(NAMES, max_size=6))
def test_patterns_match_the_names_and_no_others(names, others):
    tests = [compile_glob(parse_selector(pattern)) for pattern in fold(names)]
    for name in {*names, *others}:
        assert any(test(name) is not None for test in tests) == (name in names)


def test_what_people_read():
    names = [f"model.{i}.conv.{w}" for i in range(10) for w in ("weight", "bias")]
    assert fold(names) == ("model.{0..9}.conv.{weight,bias}",)
    assert fold(["a.b"]) == ("a.b",)
    assert fold(["l.0.w", "l.1.w", "l.5.w"]) == ("l.{0,1,5}.w",)
    assert fold([]) == ()


def test_numbers_that_are_too_long_to_be_any():
    long = "1" * 5000
    assert fold([f"{long}1.w", f"{long}2.w"]) == (f"{{{long}1,{long}2}}.w",)


def test_many_deep_names_are_left_as_they_are():
    names = [f"{i}{'.a' * 199}" for i in range(2000)]
    assert fold(names) == tuple(names)
