"""Globs: what they match, by two engines and a naive third, in bounded time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import GLOBS, NAMES
from support.naive_rules import ways

from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.match.glob_walk import Walk
from grouper.match.globs import compile_glob


def matches(pattern, name):
    return compile_glob(parse_selector(pattern))(name)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("model.24.*", ["model.24.m.0.bias", "model.24."], ["model.24", "model.241.x"]),
        ("*.bias", ["a.bias", "a.b.bias"], ["bias", "a.biases"]),
        ("a?c", ["abc"], ["a.c", "ac"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
        ("[!0]x", ["1x"], ["0x", ".x"]),
        ("{conv1,conv2}.w", ["conv1.w", "conv2.w"], ["conv3.w", "conv1,conv2.w"]),
        ("l{0..9}.w", ["l0.w", "l9.w"], ["l10.w", "l.w", "l00.w"]),
        ("l{8..12}.w", ["l8.w", "l10.w", "l12.w"], ["l7.w", "l13.w", "l1.w"]),
        ("*{0..9}*", ["layer1.x", "a9"], ["layer10", "x"]),
        ("{a,b{1..2}}*", ["ax", "b1", "b2y"], ["b3", "b"]),
    ],
)
def test_what_globs_match(pattern, yes, no):
    assert all(matches(pattern, name) is not None for name in yes)
    assert all(matches(pattern, name) is None for name in no)


@pytest.mark.parametrize(
    ("pattern", "name", "captures"),
    [
        ("layer.{i}.w", "layer.12.w", {"i": 12}),
        ("layer.{i}.w", "layer.012.w", None),
        ("*{i}*", "a12b3", {"i": 12}),
        ("b{i}.c{j:1..3}", "b7.c2", {"i": 7, "j": 2}),
        ("b{i}.c{i}", "b7.c7", {"i": 7}),
        ("b{i}.c{i}", "b7.c8", None),
        ("*.{i}.*.{i}.*", "a.1.b.2.c.1.d", {"i": 1}),
        ("{a{i},b{i}}.w", "b5.w", {"i": 5}),
    ],
)
def test_what_globs_capture(pattern, name, captures):
    assert matches(pattern, name) == captures


@settings(max_examples=400)
@given(GLOBS, NAMES)
def test_engines_agree(pattern, name):
    glob = parse_selector(pattern)
    if not isinstance(glob, tree.Glob):
        return
    fast, walk = compile_glob(glob)(name), Walk(glob)(name)
    assert fast == walk == next(ways(glob.pieces, name), None)


@given(
    st.lists(st.sampled_from(["*", "{i}", "a", "1", "{j:0..12}", "{i:0..3}"]), max_size=5), NAMES
)
def test_engines_agree_on_captures(pieces, name):
    glob = parse_selector("".join(pieces) or "*")
    if isinstance(glob, tree.Glob):
        text = name.replace(".", "") + "12a1"
        assert compile_glob(glob)(text) == Walk(glob)(text) == next(ways(glob.pieces, text), None)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*a" * 20 + "b", "a" * 4000),
        ("*{a,aa}" * 8 + "b", "a" * 2000),
        ("*{i}" * 3 + "b", "a1" * 300),
        ("*{i}*{i}*b", "1a" * 200),
        ("?" * 50 + "*" * 30 + "x", "a" * 4000),
    ],
)
def test_no_glob_takes_long(pattern, name):
    start = time.perf_counter()
    assert matches(pattern, name) is None
    assert time.perf_counter() - start < 10  # well under a second on an idle machine
