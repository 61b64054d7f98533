"""How similar names are."""

from difflib import SequenceMatcher

from hypothesis import given
from hypothesis import strategies as st

from grouper.text.similar import highest_ratio

WORDS = st.text("abc_0", max_size=9)


@given(WORDS, WORDS)
def test_the_bound_is_one(one, other):
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    assert highest_ratio(one, other) >= ratio
    assert highest_ratio(one, one) == 1
