"""Monitor files: written, read back, cut by a crash, gone on with, and made by strangers."""

import json
import tracemalloc
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouper.monitor import run as run_file
from grouper.monitor.record import (
    GroupFacts,
    Header,
    Measurement,
    Record,
    header_line,
    record_line,
)
from grouper.monitor.run import LAST_RECORDS, OLDER_RECORDS, NewerVersion, RunReader, read_lines

numbers = st.floats(allow_nan=False)
maybe = st.none() | numbers
measurements = st.builds(Measurement, maybe, maybe, maybe, numbers, maybe, maybe, maybe)
names = st.text(min_size=1)
steps = st.integers(0, 10**9)
groups = st.dictionaries(names, measurements)
records = st.builds(Record, steps, groups, st.lists(names).map(tuple), st.booleans())
HEADER = Header({"head/bias": GroupFacts(3, 765, "yolo.rules:3:7")}, 0, 10)
ANY = Measurement(0.1, None, 1.0, 1.0, None, None, None)


def parsed(content):
    found = RunReader()
    read_lines(BytesIO(content), found)
    return found.run


def written(*items):
    made = [header_line(i) if isinstance(i, Header) else record_line(i) for i in items]
    return "".join(line + "\n" for line in made).encode()


def at(*measured):
    return [Record(step, {"a": ANY}) for step in measured]


@settings(max_examples=40)
@given(st.lists(records, unique_by=lambda record: record.step))
def test_what_is_written_is_read_back(made):
    made.sort(key=lambda record: record.step)
    run = parsed(written(HEADER, *made))
    assert run.header == HEADER
    assert run.records == tuple(made)
    assert (run.count, run.broken) == (len(made), 0)


@given(records, st.data())
def test_a_cut_line_loses_only_itself(record, data):
    whole = written(HEADER, record)
    cut = record_line(record).encode()
    assert parsed(whole + cut[: data.draw(st.integers(0, len(cut)))]) == parsed(whole)


def test_lines_are_strict_json():
    measured = Measurement(0.1, None, float("nan"), float("inf"), None, 0.5, 1.0)
    line = record_line(Record(0, {"a": measured}))

    def refuse(constant):
        raise ValueError(constant)

    json.loads(line, parse_constant=refuse)
    back = parsed((line + "\n").encode()).records[0].groups["a"]
    assert back.weight_norm == float("inf")
    assert back.gradient_norm != back.gradient_norm


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=1, max_size=5))
def test_a_run_that_goes_on_counts_from_there_on(parts):
    """Parts of a run, each from a step on: the file reads as the last that was said of a step."""
    content, expected = b"", []
    for start, length in parts:
        made = at(*range(start, start + length))
        content += written(Header({}, start), *made)
        expected = [step for step in expected if step < start] + [r.step for r in made]
    run = parsed(content)
    assert [record.step for record in run.records] == expected
    assert run.count == len(expected)


def test_a_step_that_comes_again_counts_once_and_is_the_last_one():
    again = Record(10, {"a": Measurement(0.2, None, 1.0, 1.0, None, None, None)})
    assert parsed(written(*at(0, 10, 20), again)).records == (*at(0), again)


@pytest.mark.parametrize("count", [10, 1500, 9000])
def test_of_a_long_run_an_even_choice_is_kept(count):
    run = parsed(written(HEADER, *at(*range(0, 10 * count, 10))))
    kept = [record.step for record in run.records]
    assert run.count == count
    assert len(kept) <= LAST_RECORDS + OLDER_RECORDS
    assert kept[-LAST_RECORDS:] == list(range(0, 10 * count, 10))[-LAST_RECORDS:]
    apart = {b - a for a, b in pairwise(kept)}
    assert len(apart - {10}) <= 2  # a power of two, and the rest of one before the last records
    assert kept[0] == 0


@given(st.binary(max_size=200))
def test_any_bytes_give_a_run(content):
    parsed(content + b"\n")


GROUP = (
    '{"a":{"lr":%s,"momentum":null,"gradient_norm":1,"weight_norm":1,"update_ratio":1,'
    '"zero_gradients":0,"nonfinite_gradients":0}}'
)
LINE = '{"step":%s,"groups":%s,"untouched":%s}'


@pytest.mark.parametrize(
    "line",
    [
        "[]", "3", '"version"', "null", "{}", "[" * 100_000, '{"step": 1}',
        LINE % ("true", "{}", "[]"), LINE % ("-1", "{}", "[]"), LINE % ("1.5", "{}", "[]"),
        LINE % (10**400, "{}", "[]"), LINE % (2**63, "{}", "[]"), LINE % ("1", "[]", "[]"),
        LINE % ("1", "{}", "[3]"), LINE % ("1", "{}", "5"), LINE % ("1", '{"a":{}}', "[]"),
        LINE % ("1", GROUP % '"high"', "[]"), LINE % ("1", GROUP % "[1]", "[]"),
        LINE % ("1", GROUP % 10**400, "[]"), LINE % ("1", GROUP % "true", "[]"),
        '{"version":1}', '{"version":1,"groups":{"a":3}}', '{"version":true,"groups":{}}',
        '{"version":1,"groups":{"a":{"parameters":"3","values":1}}}',
        '{"version":1,"groups":{"a":{"parameters":3,"values":1,"rule":5}}}',
        '{"version":1,"groups":{},"start":-3}',
    ],
)  # fmt: skip
def test_lines_that_are_no_monitors_are_counted(line):
    run = parsed(line.encode() + b"\n" + written(*at(2)))
    assert run.broken == 1
    assert [record.step for record in run.records] == [2]


def test_a_newer_version_is_not_guessed_at():
    with pytest.raises(NewerVersion):
        parsed(b'{"version":2,"something":"else"}\n')


def test_what_a_later_version_adds_is_passed_over():
    groups = (GROUP % "0.1").replace('"lr"', '"more":2,"lr"')
    line = LINE.replace("}", ',"more":1}') % (3, groups, "[]")
    assert parsed(line.encode() + b"\n").records[0].groups["a"].lr == 0.1


def test_lines_beyond_all_measure_are_not_read(monkeypatch):
    monkeypatch.setattr(run_file, "LONGEST_LINE", 1000)
    content = b" " * 5000 + b"\n" + written(*at(1)) + b"x" * 5000
    run = parsed(content)
    assert run.broken == 2
    assert [record.step for record in run.records] == [1]


def test_a_large_file_is_read_in_bounded_memory():
    line = written(*at(0)).replace(b'"step":0', b'"step":%d')
    content = BytesIO(b"".join(line % step for step in range(15_000)))
    tracemalloc.start()
    found = RunReader()
    read_lines(content, found)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.run.count == 15_000
    assert most < 2_000_000
