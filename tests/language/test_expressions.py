"""Expressions: the numbers of Python itself, and nothing but finite ones."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import parameter

from grouper.language.expressions import Scope, compare, evaluate, number
from grouper.language.syntax.parser import parse_expression, parse_selector
from grouper.language.syntax.unparse import expression_text
from grouper.language.value_errors import BadValue
from grouper.options.values import value_text

VARIABLES = {"base": 0.01, "n": 12, "i": 3}
FUNCTIONS = {"min": min, "max": max, "sqrt": math.sqrt, "log": math.log, "exp": math.exp}

numbers = st.one_of(
    st.integers(0, 50).map(str),
    st.floats(1e-6, 1e6).map(repr),
    st.sampled_from(list(VARIABLES)),
)
arithmetic = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(" ".join),
        inner.map(lambda e: f"-{e}"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
            lambda t: f"{t[0]}({t[1]}, {t[2]})"
        ),
        st.tuples(st.sampled_from(["sqrt", "log", "exp"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
    ),
    max_leaves=8,
)


@given(arithmetic)
def test_values_are_pythons_to_the_last_bit(source):
    expression = parse_expression(source)
    try:
        ours = evaluate(expression, Scope(VARIABLES))
    except BadValue:
        return
    theirs = eval(source, {"__builtins__": {}, **FUNCTIONS, **VARIABLES})
    assert (type(ours), ours) == (type(theirs), theirs)
    printed = expression_text(expression)
    assert evaluate(parse_expression(printed), Scope(VARIABLES)) == ours


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "divides by zero"),
        ("2 * (1 / 0) + 3", "divides by zero"),
        ("9**9**9", "too large"),
        ("9.0**9**9", "too large"),
        ("10**400", "too large"),
        ("1e999", "not a finite number"),
        ("1e308 * 10", "not a finite number"),
        ("(-8)**0.5", "not a finite number"),
        ("0**-1", "divides by zero"),
        ("log(0)", "`log` has no value at `0`"),
        ("log(-1)", "has no value"),
        ("sqrt(-1)", "has no value"),
        ("exp(1000)", "has no value"),
        ("true + 1", "got `true`"),
        ('"a" * 2', "got `a`"),
        ("max(1)", "at least two"),
        ("sqrt(1, 2)", "one value"),
        ("fan_in", None),
    ],
)
def test_what_has_no_value(source, words):
    expression = parse_expression(source)
    start = time.perf_counter()
    if words is None:
        assert evaluate(expression, Scope()) == "fan_in"
        return
    with pytest.raises(BadValue) as caught:
        number(expression, Scope())
    assert words in caught.value.message
    assert caught.value.span is not None
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("shape", [(8, 4), (8, 4, 3), (8, 4, 3, 5), (6, 1, 3, 3)])
def test_fans_are_torchs(shape):
    torch = pytest.importorskip("torch")
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(torch.zeros(shape))
    scope = Scope(parameter=parameter("w", shape))
    assert evaluate(parse_expression("fan_in"), scope) == fan_in
    assert evaluate(parse_expression("fan_out"), scope) == fan_out


@pytest.mark.parametrize(
    ("selector", "truth"),
    [
        ("ndim == 2", True),
        ("shape[0] == 8 ", True),
        ("shape[-1] == 4", True),
        ("shape[2] == 1", False),
        ("numel > 1e6", False),
        ("dtype == float32", True),
        ("dtype == torch.float32", None),
        ('dtype == "torch.float32"', True),
        ("dtype != float16", True),
        ("fan_in < fan_out", True),
    ],
)
def test_facts_compare(selector, truth):
    if truth is None:
        with pytest.raises(BadValue):
            compare(parse_selector(selector), Scope(parameter=parameter("w", (8, 4))))
        return
    scope = Scope(parameter=parameter("w", (8, 4)))
    assert compare(parse_selector(selector), scope) is truth


def test_unknown_facts_are_unknown():
    scope = Scope(parameter=parameter("w", None, dtype=None))
    assert compare(parse_selector("ndim == 2"), scope) is None
    assert compare(parse_selector("dtype == float16"), scope) is None


@given(
    st.recursive(
        st.one_of(st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False))
        | st.sampled_from([True, False, None]),
        lambda inner: st.lists(inner, max_size=3).map(tuple),
        max_leaves=4,
    )
)
def test_values_print_as_they_are_written(value):
    back = evaluate(parse_expression(value_text(value)), Scope())
    assert back == value
