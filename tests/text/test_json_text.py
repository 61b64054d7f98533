"""Our JSON is that of `json`, to the byte."""

import json

from hypothesis import given
from hypothesis import strategies as st

from grouper.text.json_text import json_text

SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
VALUES = st.recursive(
    SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_it_is_what_json_writes(value):
    assert json_text(value) == json.dumps(value, indent=2)
