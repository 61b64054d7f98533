"""Counts as people read them."""

import pytest

from grouper.text.printable import count_phrase, size_phrase


@pytest.mark.parametrize(
    ("count", "phrase"),
    [
        (0, "0 parameters"),
        (1, "1 parameter"),
        (9504, "9,504 parameters"),
        (7_235_389, "7.2 M parameters"),
        (999_949, "999,949 parameters"),
        (999_950, "1.0 M parameters"),
        (999_999_999, "1.0 B parameters"),
        (70_553_706_496, "70.6 B parameters"),
    ],
)
def test_sizes_are_written_as_the_field_writes_them(count, phrase):
    assert size_phrase(count) == phrase


def test_counts():
    assert count_phrase([1], "tensor") == "1 tensor"
    assert count_phrase(range(1200), "tensor") == "1,200 tensors"
