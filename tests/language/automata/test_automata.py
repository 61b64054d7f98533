"""Automata against brute force: every name of up to six characters, and the patterns' own tests."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import parameter

from grouper.language.automata.automaton import DEAD, START
from grouper.language.automata.claims import All, Negation
from grouper.language.automata.explore import MAX_WORK, explore
from grouper.language.automata.meter import Meter
from grouper.language.automata.of_selector import automaton_of, claim_of
from grouper.language.automata.rule_claims import RuleClaims
from grouper.language.resolve.resolve import resolve
from grouper.language.syntax.parser import parse_selector
from grouper.language.syntax.regexes import fault
from grouper.match.compile_selector import compile_selector
from grouper.model.inventory import Inventory
from grouper.text.source import Source

LETTERS = "a1.b"
WORDS = ("".join(word) for n in range(1, 7) for word in product(LETTERS, repeat=n))
NAMES = [word for word in WORDS if all(word.split("."))]
EMPTY = Inventory((), None)
FIXED = [
    "a.*", "*.b", "a?b", "[!a]*", "{a,b{1..2}}*", "*{0..9}*", "a1*{i}", "{i}*1", "*{i}.{j}*",
    "*{11..111}*", "*a{i}", "{a*,*1}.*", "in a", "in *", "in *.1", '"a.b"', "/a/", "/^a|b$/",
    r"/\ba\b/", r"/\B1/", r"/(a|b)\.1/", "/[^a.]$/", "/a{2,3}?b*/", r"/\d\.\w/", "/a(1|)b/",
    r"/^[^1]+\Z/", "/(?:a1?)+$/", r"/\A\S/",
]  # fmt: skip


def walk(automaton):
    """The names that an automaton takes, by one walk over all of them."""
    taken, meter = set(), Meter()
    level = [("", START)]
    for _ in range(6):
        level = [
            (word + letter, after)
            for word, state in level
            for letter in LETTERS
            if (after := automaton.step(state, letter, meter)) != DEAD
        ]
        taken |= {word for word, state in level if automaton.accepts(state)}
    return taken.intersection(NAMES)


def by_test(selector):
    test = compile_selector(selector, EMPTY, {})
    return {name for name in NAMES if test(parameter(name)).truth}


@pytest.mark.parametrize("pattern", FIXED)
def test_a_pattern_takes_the_names_that_it_matches(pattern):
    selector = parse_selector(pattern)
    assert walk(automaton_of(selector)) == by_test(selector)


PIECES = ["*", "?", "a", "1", ".", "b.", "{i}", "{1..11}", "[ab]", "[!a]", "{a,1*}", "{j}"]
GLOBS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
PARTS = ["a", "1", r"\.", ".", "[ab]", "[^.]", "a*", "b?", "(a|1b)", r"\b", "^", "$", r"\d+"]
REGEXES = (
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=4)
    .map("".join)
    .filter(lambda text: fault(text) is None)
    .map(lambda text: f"/{text}/")
)


@settings(max_examples=40, deadline=None)
@given(st.one_of(GLOBS, REGEXES))
def test_any_pattern_takes_the_names_that_it_matches(pattern):
    selector = parse_selector(pattern)
    automaton = automaton_of(selector)
    assert automaton is not None
    taken, matched = walk(automaton), by_test(selector)
    assert taken == matched if automaton.exact else taken >= matched
    assert automaton.exact or pattern.count("{i}") > 1 or pattern.count("{j}") > 1


def test_two_patterns_have_the_shortest_names_that_brute_force_finds():
    """For every two of them: a name of both, a name of the first alone, a name of neither."""
    taken = {pattern: by_test(parse_selector(pattern)) for pattern in FIXED}
    for first, second in combinations(FIXED, 2):
        automata = [automaton_of(parse_selector(pattern)) for pattern in (first, second)]
        explored = explore(automata, Meter(MAX_WORK))
        assert explored.complete
        for taking, name in explored.names.items():
            here = [(name in taken[p]) for p in (first, second)]
            if set(name) <= set(LETTERS) and len(name) <= 6:
                assert here == [bool(taking & 1), bool(taking & 2)]
        for taking in range(4):
            found = {n for n in NAMES if (n in taken[first]) + 2 * (n in taken[second]) == taking}
            if found:
                assert len(explored.names[taking]) <= min(map(len, found))


@pytest.mark.parametrize("pattern", ["/(?i)a/", "/a(?=b)/", r"/(a)\1/", "/(?>a)/", "/[à-ÿ]/"])
def test_what_automata_do_not_answer_is_unknown(pattern):
    assert automaton_of(parse_selector(pattern)) is None


def test_a_number_that_is_captured_twice_is_not_exact():
    automaton = automaton_of(parse_selector("a{i}.b{i}"))
    assert automaton.matches("a1.b1")
    assert not automaton.exact


@pytest.mark.parametrize(
    "pattern",
    ["/[ab]*a[ab]{14}$/", "*a" + "?" * 16, "*a" + "?" * 12 + "b*c" + "?" * 15, "/a.{300}b/"],
)
def test_what_would_blow_up_is_given_up(pattern):
    automaton, meter = automaton_of(parse_selector(pattern)), Meter(MAX_WORK)
    explored = explore([automaton, automaton_of(parse_selector("*.b"))], meter)
    assert not explored.complete
    assert meter.spent < 1.1 * MAX_WORK  # a tenth of a second


def test_names_that_are_found_before_it_are_names():
    claims = RuleClaims(resolve(Source("*a" + "?" * 16 + " -> x; *.b -> y"), {}))
    first, second = (All(()), claim_of(parse_selector("*.b")))
    assert next(claims.names(All((first, second)))) == "a.b"
    assert claims.is_empty(All((second, Negation(second)))) is True


TIED = [
    ("*.a and *.b", None),
    ("*.a and not *.a", True),
    ("*.a and not *.a.*.a and *.b", None),
    ("*.a and not *a", True),
    ("*.a and 1.*", False),
    ("not *", True),
    ("not *.a and not /[^.]$/", True),
    ("*.a and @Conv2d", False),
]


@pytest.mark.parametrize(("text", "empty"), TIED)
def test_a_parameter_may_have_several_names(text, empty):
    claims = RuleClaims(resolve(Source(f"{text} -> x"), {}))
    assert claims.is_empty(claim_of(parse_selector(text))) is empty


def test_letters_that_are_not_ascii_stand_for_themselves():
    automata = [automaton_of(parse_selector(p)) for p in ("*é", "/[^é]$/", r"/\W$/")]
    takings = explore(automata, Meter(MAX_WORK)).names
    assert takings[0b001] == "é"
    assert set(takings) == {0b001, 0b010, 0b110}
