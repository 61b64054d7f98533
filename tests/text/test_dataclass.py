"""Our dataclass does what Python's does."""

import copy
import dataclasses
import pickle
import sys
from functools import cached_property, partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.text import dataclass as ours

FORMS = [
    {},
    {"frozen": True},
    {"eq": False},
    {"frozen": True, "eq": False},
    {"repr": False},
    {"frozen": True, "slots": True},
    {"slots": True},
    {"frozen": True, "slots": True, "repr": False},
    {"slots": True, "eq": False},
]


def classes(dataclass, field, **form):
    """The same classes, made by one of the two."""

    @dataclass(**form)
    class Value:
        first: int
        second: str = "b"
        hidden: object = field(default=None, compare=False, repr=False)
        items: list = field(default_factory=list)

        def __post_init__(self):
            if self.first == -1:
                raise ValueError("no")

    @dataclass(frozen=form.get("frozen", False))
    class Child(Value):
        second: str = "c"
        third: tuple = ()

    @dataclass(frozen=form.get("frozen", False), kw_only=True)
    class Node:
        span: object = field(default=None, compare=False, repr=False)

    @dataclass(frozen=form.get("frozen", False))
    class Leaf(Node):
        name: str
        after: bool = field(default=False, kw_only=True)

    @dataclass
    class Empty:
        pass

    @dataclass
    class Own:
        x: int

        def __repr__(self):
            return "mine"

        def __eq__(self, other):
            return True

    made = {c.__name__: c for c in (Value, Child, Node, Leaf, Empty, Own)}
    for cls in made.values():
        cls.__qualname__ = cls.__name__
    return made


def both(name, **form):
    return (
        classes(dataclasses.dataclass, dataclasses.field, **form)[name],
        classes(ours.dataclass, ours.field, **form)[name],
    )


def outcome(call):
    """What a call gives, or how it fails."""
    try:
        return call()
    except Exception as error:
        return type(error), str(error).replace("classes.<locals>.", "")


CALLS = [
    ("Value", (1,), {}),
    ("Value", (1, "x", 2, [3]), {}),
    ("Value", (), {"first": 1, "items": [1]}),
    ("Value", (), {}),
    ("Value", (-1,), {}),
    ("Value", (1, 2, 3, 4, 5), {}),
    ("Value", (1,), {"first": 2}),
    ("Value", (1,), {"other": 2}),
    ("Child", (1,), {"third": (1, 2)}),
    ("Child", (1, "x", None, [], (2,)), {}),
    ("Leaf", ("a",), {"span": 3}),
    ("Leaf", ("a",), {"after": True}),
    ("Leaf", ("a", 3), {}),
    ("Leaf", (), {"span": 3}),
    ("Node", (), {}),
    ("Node", (1,), {}),
    ("Empty", (), {}),
    ("Empty", (1,), {}),
    ("Own", (1,), {}),
]


@pytest.mark.parametrize("form", FORMS, ids=repr)
@pytest.mark.parametrize("times", [1, ours.FEW + 1], ids=["first", "many"])
def test_values_are_made_and_shown_alike(form, times):
    for name, given_, named in CALLS:
        theirs, mine = both(name, **form)
        for _ in range(times):
            made = [outcome(partial(cls, *given_, **named)) for cls in (theirs, mine)]
        if isinstance(made[0], tuple):  # the same error, in the words of this Python
            assert made[0] == made[1]
        else:
            assert state(made[0]) == state(made[1])
            if form.get("repr", True) or name != "Value":
                assert repr(made[0]) == repr(made[1])
            assert hasattr(made[0], "__dict__") == hasattr(made[1], "__dict__")


def state(value):
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}


@pytest.mark.parametrize("form", FORMS, ids=repr)
@pytest.mark.parametrize("name", ["Value", "Child", "Node", "Leaf", "Empty", "Own"])
def test_classes_have_the_same_attributes(name, form):
    theirs, mine = both(name, **form)
    assert theirs.__match_args__ == mine.__match_args__
    assert vars(theirs).get("__slots__") == vars(mine).get("__slots__")
    assert (theirs.__hash__ is None) == (mine.__hash__ is None)
    assert getattr(theirs, "second", None) == getattr(mine, "second", None) or form.get("slots")
    for one, other in zip(dataclasses.fields(theirs), dataclasses.fields(mine), strict=True):
        for part in ("name", "default", "compare", "repr", "kw_only", "init", "hash"):
            assert getattr(one, part) == getattr(other, part)
        assert (one.default_factory is list) == (other.default_factory is list)
    assert dataclasses.is_dataclass(mine)


VALUES = st.tuples(st.integers(0, 1), st.sampled_from("ab"), st.integers(0, 1))


@given(VALUES, VALUES, st.sampled_from(FORMS))
def test_comparisons_are_alike(one, other, form):
    theirs, mine = both("Leaf", **form) if one[0] else both("Value", **form)

    def compared(cls):
        a, b = cls(one[1] if one[0] else 1), cls(other[1] if one[0] else other[2])
        hashes = outcome(lambda: hash(a) == hash(b))
        return a == b, a != b, a == (1, "b"), a.__eq__(3), hashes

    assert compared(theirs) == compared(mine)
    if not one[0] and form.get("frozen") and form.get("eq", True):
        assert outcome(lambda: hash(theirs(1, items=()))) == hash(mine(1, items=()))


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_what_is_frozen_is_refused(form):
    def tried(cls):
        value = cls(1)

        def assigned():
            value.second = "x"
            return value.second

        def added():
            value.more = 1
            return value.more

        def deleted():
            del value.first

        return [outcome(each) for each in (assigned, added, deleted)]

    theirs, mine = both("Value", **form)
    expected, found = tried(theirs), tried(mine)
    if form.get("slots") and form.get("frozen"):  # of a name that is no field, Pythons differ
        expected[1] = found[1]
    assert expected == found


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_replace(form):
    theirs, mine = both("Value", **form)
    for changes in ({}, {"first": 2}, {"items": [1]}, {"none": 1}):
        expected = outcome(lambda c=changes: state(dataclasses.replace(theirs(1), **c)))
        assert outcome(lambda c=changes: state(ours.replace(mine(1), **c))) == expected
        assert outcome(lambda c=changes: state(dataclasses.replace(mine(1), **c))) == expected
    assert dataclasses.asdict(mine(1)) == dataclasses.asdict(theirs(1))


@ours.dataclass(frozen=True, slots=True)
class Slotted:
    a: int
    b: tuple = ()


@ours.dataclass(frozen=True)
class Plain:
    a: int
    b: list = ours.field(default_factory=list)

    @cached_property
    def double(self):
        return 2 * self.a


@ours.dataclass(slots=True)
class Open:
    a: int
    b: int = 2


@pytest.mark.parametrize("value", [Slotted(1, (2,)), Plain(1, [2]), Open(1)], ids=repr)
def test_values_are_copied_and_pickled(value):
    copies = [pickle.loads(pickle.dumps(value, n)) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in (*copies, copy.copy(value), copy.deepcopy(value)):
        assert other == value
        assert other is not value
    if isinstance(value, Plain):
        assert copy.deepcopy(value).b is not value.b
        assert value.double == 2
        assert value.double is Plain(1).double
    if sys.version_info >= (3, 13):
        assert copy.replace(value, a=3).a == 3


def test_values_are_matched():
    match Slotted(1, (2,)):
        case Slotted(1, (x,)):
            assert x == 2
        case _:
            raise AssertionError


def test_a_value_in_itself_is_shown():
    value = Plain(1)
    value.b.append(value)
    assert repr(value) == "Plain(a=1, b=[...])"
