"""Monitor files, read line by line, however they ended and whatever is in them.

What is kept is bounded: of a long run the last records, and an even choice of those before.
"""

from __future__ import annotations

import json
import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from grouper.monitor.record import VERSION, GroupFacts, Header, Measurement, Record

LAST_RECORDS, OLDER_RECORDS = 100, 1000
LONGEST_LINE = 4 * 1024 * 1024  # bytes
_COUNT = 2**63
_MEASURED = tuple(Measurement.__dataclass_fields__)


class NewerVersion(Exception):
    """The file was written by a grouper that knows more than this one."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a monitor file says. `records` are in order of their steps, `count` is how many there
    were measured, `broken` how many of its lines could not be read."""

    header: Header | None
    records: tuple[Record, ...]
    count: int = 0
    broken: int = 0

    @property
    def groups(self) -> Mapping[str, GroupFacts]:
        return self.header.groups if self.header else {}


class Reading:
    """A run as far as it has been read: `line` after `line`, `run` at any time."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._steps = array("q")
        self._older: list[tuple[int, Record]] = []  # with their places among the steps
        self._last: deque[tuple[int, Record]] = deque()
        self._stride = 1  # one in so many of the older records is kept
        self._broken = 0

    @property
    def run(self) -> Run:
        records = tuple(record for _, record in (*self._older, *self._last))
        return Run(self._header, records, len(self._steps), self._broken)

    def line(self, line: bytes) -> None:
        """Read one whole line. Raises NewerVersion, and nothing for what else is in it."""
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
        """A line was so long that it was not read."""
        self._broken += 1

    def _add(self, record: Record) -> None:
        self._drop_from(record.step)
        self._last.append((len(self._steps), record))
        self._steps.append(record.step)
        if len(self._last) > LAST_RECORDS:
            place, old = self._last.popleft()
            if place % self._stride == 0:
                self._older.append((place, old))
        if len(self._older) > OLDER_RECORDS:
            self._stride *= 2
            self._older = [kept for kept in self._older if kept[0] % self._stride == 0]

    def _drop_from(self, step: int) -> None:
        """A step that comes again, or an earlier one: the run was resumed there."""
        count = bisect_left(self._steps, step)
        if count < len(self._steps):
            del self._steps[count:]
            self._older = [kept for kept in self._older if kept[0] < count]
            self._last = deque(kept for kept in self._last if kept[0] < count)


def lines(file: IO[bytes], reading: Reading) -> None:
    """Read every whole line that a file has from where it stands; a cut one is left in it."""
    for line in _whole_lines(file):
        if line is None:
            reading.too_long()
        elif line.strip():
            reading.line(line)


def _whole_lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """Lines that end, None for one that is too long to be read."""
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
            _count(facts["parameters"]), _count(facts["values"]), _word(facts.get("rule"))
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
        raise TypeError("not names")
    return Record(_count(value["step"]), groups, tuple(untouched), value.get("skipped") is True)


def _measurement(numbers: dict[str, float | None]) -> Measurement:
    weight_norm = numbers.pop("weight_norm")
    if weight_norm is None:
        raise TypeError("no norm")
    return Measurement(weight_norm=weight_norm, **numbers)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _COUNT:
        raise TypeError("not a count")
    return value


def _word(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("not a word")
    return value


def _number(value: object) -> float | None:
    if value is None:
        return None
    if value in ("nan", "inf", "-inf"):
        return math.nan if value == "nan" else float(str(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    return float(value)


def read_run(path: str | Path) -> Run:
    """The run in a monitor file. Raises OSError where it cannot be opened, and NewerVersion."""
    reading = Reading()
    with open(path, "rb") as file:
        lines(file, reading)
    return reading.run
