"""Monitor files: written, read back, and read after a crash."""

import json

from hypothesis import given
from hypothesis import strategies as st

from grouper.monitor.record import (
    GroupFacts,
    Measurement,
    Record,
    header_line,
    parse_run,
    record_line,
)

numbers = st.floats(allow_nan=False)
maybe = st.none() | numbers
measurements = st.builds(Measurement, numbers, maybe, maybe, numbers, maybe, maybe, maybe)
names = st.text(min_size=1)
records = st.builds(
    Record,
    st.integers(0, 10**9),
    st.dictionaries(names, measurements),
    st.lists(names).map(tuple),
)
FACTS = {"head/bias": GroupFacts(3, 765, "yolo.rules:3")}


@given(st.lists(records, unique_by=lambda record: record.step))
def test_what_is_written_is_read_back(written):
    lines = [header_line(FACTS), *map(record_line, written)]
    run = parse_run("".join(line + "\n" for line in lines).encode())
    assert run.groups == FACTS
    assert run.records == tuple(sorted(written, key=lambda record: record.step))
    assert run.broken == 0


@given(records, st.data())
def test_a_cut_line_loses_only_itself(record, data):
    whole = (header_line(FACTS) + "\n" + record_line(record) + "\n").encode()
    cut = whole + record_line(record).encode()[: data.draw(st.integers(0, 40))]
    assert parse_run(cut) == parse_run(whole)


def test_lines_are_strict_json():
    measured = Measurement(0.1, None, float("nan"), float("inf"), None, 0.5, 1.0)
    line = record_line(Record(0, {"a": measured}))
    json.loads(line, parse_constant=lambda constant: (_ for _ in ()).throw(ValueError(constant)))
    back = parse_run((line + "\n").encode()).records[0].groups["a"]
    assert back.weight_norm == float("inf")
    assert back.gradient_norm != back.gradient_norm


def test_a_repeated_step_counts_once_and_the_last_one():
    first = Record(10, {"a": Measurement(0.1, None, 1.0, 1.0, None, None, None)})
    again = Record(10, {"a": Measurement(0.2, None, 1.0, 1.0, None, None, None)})
    run = parse_run("".join(record_line(r) + "\n" for r in (first, again)).encode())
    assert run.records == (again,)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_run(content):
    parse_run(content + b"\n")


def test_broken_lines_are_counted():
    run = parse_run(b'{"step": 1}\nnot json\n{"step":2,"groups":{},"untouched":[]}\n')
    assert run.broken == 2
    assert [record.step for record in run.records] == [2]
