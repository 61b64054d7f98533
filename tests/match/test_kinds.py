"""What parameters that are alike share is what each of them would be answered by itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import inventory, parameter

from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.match.asked import NOTHING, asked
from grouper.match.compile_selector import compile_selector
from grouper.match.kinds import Kinds, Question

NUMBERS = st.sampled_from(
    ["0", "1", "2", "3", "7", "10", "11", "12", "17", "70", "007", "01", "00"]
)
WORDS = st.sampled_from(["layers", "a1", "block", "weight", "bias", "w"])
PARTS = st.one_of(NUMBERS, WORDS, st.builds("{}{}".format, WORDS, NUMBERS))
NAMES = st.lists(st.lists(PARTS, min_size=1, max_size=4).map(".".join), min_size=1, max_size=12)
SELECTORS = (
    "*.{i}.*", "layers.{i}.*", "layers.{0..11}.*", "*.{i:2..12}.*", "*{i}", "{i}.*", "*{i}{j}*",
    "*.{i}.*.{i}.*", "layers.1.*", "layers.1*", "*1*", "*0*", "layers.?.*", "*.[0-3].*", "[!1]*",
    "*.[!0-9].*", "*.[a-z1]*", "{layers,a1}.*", "{layers.1,layers.17}.*", "layers.1{0..2}.*",
    "{layers.{i}.*,block*}", "{{i}.a1,block*,*w}", "*{{0..3},*w}", "{*a1,layers.*}{,.w}",
    "layers{.,*w.}{i}*", "{*1,*.w*}", "{layers.1*,*block.?}", "{a{i},*w}*", "{*.{0..11}.*,w}",
    "{layers,a1}.{block.{b},w}.*", "{layers.{i},a{j}}.w*", "{{i},a}{i}.*", "*{{i},w}*",
    "a{i}.*", "*a1*", '"layers.1.weight"', "/[0-9]+/", "/\\d\\d/", "/1/", "/[0-4]/", "/[^.]\\./",
    "/(?P<i>\\d+)/", "/\\d(?P<i>\\d+)/", "/(?P<i>[0-9])\\.(?P=i)/", "not *.1.*", "in *.{i}",
    "in layers.1", "in layers.{1..7}", "*.{i}.* and *.{j}.w*", "*.{i}.* and layers.{i}.*",
    "*.{i}.* or *.bias", "layers.3.* or layers.7.* and ndim == 1", "ndim == 1", "numel > 5",
    "shape[0] == 2", "dtype == float16", "trainable", "tied", "*.1.* and trainable",
)  # fmt: skip


def answers(names, text):
    shapes = [(), (2,), (2, 3), (3, 2)]
    model = inventory(
        *(
            parameter(
                (name,) if i % 5 else (name, f"{name}.tied"),
                shapes[i % 4],
                dtype=f"float{16 << i % 2}",
            )
            for i, name in enumerate(dict.fromkeys(names))
        )
    )
    selector = parse_selector(text)
    test = compile_selector(selector, model, {})
    kinds = Kinds(model, [Question(selector, test, asked(selector), NOTHING)])
    for one in model.parameters:
        alike, numbers = kinds.of(one)
        own = test(one)
        if not alike.answers:
            assert own.truth is False
            assert not own.problems
            continue
        ((_, answer),) = alike.answers
        assert answer.truth == own.truth
        assert answer.name_index == own.name_index
        assert alike.captures(0, numbers) == own.captures


@pytest.mark.parametrize("text", SELECTORS)
@settings(max_examples=25)
@given(names=NAMES)
def test_each_selector(text, names):
    answers(names, text)


PIECES = st.sampled_from(
    ["a", ".", "b1", "1", "10", "0", "*", "?", "{i}", "{j}", "{k:0..12}", "{0..3}", "[0-9]"]
)
OPTIONS = st.lists(PIECES, max_size=4).map("".join)
CHOICES = st.lists(OPTIONS, min_size=2, max_size=3).map(lambda of: f"{{{','.join(of)}}}")
PARTED = st.lists(
    st.sampled_from(["a", ".", "b1", "1", "10", "0", "01", "12", "2", "b", "a1."]), min_size=1
).map("".join)
GLOBS = st.lists(PIECES | CHOICES | st.just("."), min_size=1, max_size=5).map("".join)


@given(glob=GLOBS, names=st.lists(PARTED, min_size=1, max_size=6))
def test_any_glob(glob, names):
    try:
        selector = parse_selector(glob)
    except ValueError:
        return
    if isinstance(selector, tree.Glob):
        answers(names, glob)


def test_a_number_in_an_alternative_beside_a_pattern():
    answers(["1.a1.w", "01.a1.w", "21.a1.w"], "{{i}.a1,block*}.w")
    answers(["01.a1.w", "21.a1.w", "1.a1.w"], "{{i}.a1,block*}.w")


def test_names_that_differ_in_numbers_are_asked_once():
    model = inventory(*(f"layers.{i}.{part}" for i in range(100) for part in ("weight", "bias")))
    selector = parse_selector("layers.{i}.weight")
    test = compile_selector(selector, model, {})
    kinds = Kinds(model, [Question(selector, test, asked(selector), NOTHING)])
    found = [kinds.of(one) for one in model.parameters]
    assert kinds.tests == 4  # numbers of one digit and of two, of each part
    assert len({alike for alike, _ in found}) == 2
    assert [numbers for _, numbers in found[:4]] == [("0",), (), ("1",), ()]
