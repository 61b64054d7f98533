"""Reads monitor files line by line, however they end and whatever is in them.

Memory is bounded: of a long run it keeps the last records, and every n-th of the earlier ones.
"""

from __future__ import annotations

import json
import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from grouper.monitor.record import VERSION, GroupFacts, Header, Measurement, Record

LAST_RECORDS, OLDER_RECORDS = 100, 1000
LONGEST_LINE = 4 * 1024 * 1024  # bytes
_COUNT = 2**63
_MEASURED = tuple(Measurement.__dataclass_fields__)


class NewerVersion(Exception):
    """The file was written by a newer version of grouper."""


@dataclass(frozen=True, slots=True)
class Run:
    """The content of a monitor file: `records` in order of their steps, `count` the number of
    measured steps, `broken` the number of lines that could not be read."""

    header: Header | None
    records: tuple[Record, ...]
    count: int = 0
    broken: int = 0

    @property
    def groups(self) -> Mapping[str, GroupFacts]:
        return self.header.groups if self.header else {}


class RunReader:
    """Reads a run line by line with `line`; `run` is what has been read so far."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._steps = array("q")
        self._older: list[tuple[int, Record]] = []  # with their indices among the steps
        self._last: deque[tuple[int, Record]] = deque()
        self._stride = 1  # every n-th of the older records is kept
        self._broken = 0

    @property
    def run(self) -> Run:
        records = tuple(record for _, record in (*self._older, *self._last))
        return Run(self._header, records, len(self._steps), self._broken)

    def line(self, line: bytes) -> None:
        """Read one complete line. Raises NewerVersion; counts a line that is faulty as broken."""
        try:
            value = json.loads(line)
            if "version" in value:
                self._header = _header(value)
                self._drop_from(self._header.start)
            else:
                self._add(_record(value))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError):
            self._broken += 1

    def too_long(self) -> None:
        """Count a line that was too long to be read."""
        self._broken += 1

    def _add(self, record: Record) -> None:
        self._drop_from(record.step)
        self._last.append((len(self._steps), record))
        self._steps.append(record.step)
        if len(self._last) > LAST_RECORDS:
            index, old = self._last.popleft()
            if index % self._stride == 0:
                self._older.append((index, old))
        if len(self._older) > OLDER_RECORDS:
            self._stride *= 2
            self._older = [(i, record) for i, record in self._older if i % self._stride == 0]

    def _drop_from(self, step: int) -> None:
        """Drop the records from a step on: the run was resumed there."""
        count = bisect_left(self._steps, step)
        if count < len(self._steps):
            del self._steps[count:]
            self._older = [(i, record) for i, record in self._older if i < count]
            self._last = deque((i, record) for i, record in self._last if i < count)


def read_lines(file: IO[bytes], reader: RunReader) -> None:
    """Read every complete line from the file's position on; an incomplete last one stays unread."""
    for line in _complete_lines(file):
        if line is None:
            reader.too_long()
        elif line.strip():
            reader.line(line)


def _complete_lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """Lines with their newlines; None for one that is too long to be read."""
    while True:
        start = file.tell()
        line = file.readline(LONGEST_LINE)
        if line.endswith(b"\n"):
            yield line
        elif len(line) < LONGEST_LINE:
            file.seek(start)
            return
        else:
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE)
            yield None


def _header(value: dict[str, Any]) -> Header:
    if _count(value["version"]) > VERSION:
        raise NewerVersion
    groups = {
        str(name): GroupFacts(
            _count(facts["parameters"]), _count(facts["values"]), _text(facts.get("rule"))
        )
        for name, facts in value["groups"].items()
    }
    return Header(groups, _count(value.get("start", 0)), _count(value.get("every", 1)))


def _record(value: dict[str, Any]) -> Record:
    groups = {
        str(name): _measurement({key: _number(facts.get(key)) for key in _MEASURED})
        for name, facts in value["groups"].items()
    }
    untouched = value.get("untouched", [])
    if not isinstance(untouched, list) or not all(isinstance(name, str) for name in untouched):
        raise TypeError("expected a list of names")
    return Record(_count(value["step"]), groups, tuple(untouched), value.get("skipped") is True)


def _measurement(numbers: dict[str, float | None]) -> Measurement:
    weight_norm = numbers.pop("weight_norm")
    if weight_norm is None:
        raise TypeError("expected a weight norm")
    return Measurement(weight_norm=weight_norm, **numbers)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _COUNT:
        raise TypeError("expected a count")
    return value


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _number(value: object) -> float | None:
    if value is None:
        return None
    if value in ("nan", "inf", "-inf"):
        return math.nan if value == "nan" else float(str(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    return float(value)
