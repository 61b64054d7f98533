"""Folding takes time in proportion to the names, whatever they have in common."""

import time

import pytest

from grouper.text.fold import fold
from grouper.text.similar import near

CASES = {
    "layers": lambda n: [f"layers.{i // 8}.part{i % 8}.weight" for i in range(n)],
    "one row": lambda n: [f"a.{i}" for i in range(n)],
    "words": lambda n: [f"a.w{i}.b" for i in range(n)],
}


@pytest.mark.parametrize("case", CASES)
def test_thirty_thousand_names(case):
    start = time.process_time()
    assert len(fold(CASES[case](30_000))) == 1
    assert time.process_time() - start < 2  # a tenth of it on an idle machine


def test_long_words_have_no_near_ones():
    start = time.process_time()
    assert near("a*" * 400, ["a" * 1000] * 3) == ()
    assert near("weigth", ["weight", "bias"]) == ("weight",)
    assert time.process_time() - start < 1
