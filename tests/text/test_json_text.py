"""Our JSON is that of `json`, to the byte."""

import json

from hypothesis import given
from hypothesis import strategies as st

from grouper.text.json_text import json_pieces, json_text

SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
VALUES = st.recursive(
    SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_it_is_what_json_writes(value):
    assert json_text(value) == json.dumps(value, indent=2)


@given(VALUES)
def test_the_pieces_are_the_text(value):
    assert "".join(json_pieces(value)) == json_text(value)


def test_a_long_text_has_many_pieces():
    pieces = list(json_pieces({"names": ["a" * 1_000] * 500}))
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 70_000
