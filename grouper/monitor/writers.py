"""Writers of records: JSON Lines, CSV, TensorBoard, and a function."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol

from grouper.monitor.record import Header, Measurement, Record, header_line, record_line
from grouper.text.write_file import write_whole


class Writer(Protocol):
    """Takes a header, then records; another header where the groups change."""

    def header(self, header: Header) -> None: ...

    def record(self, record: Record) -> None: ...

    def close(self) -> None: ...


class JsonLines:
    """Appends whole lines, one system call each: a killed process leaves at most one cut line."""

    def __init__(self, path: str | Path) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._end_cut_line()

    def _end_cut_line(self) -> None:
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def header(self, header: Header) -> None:
        self._write(header_line(header))

    def record(self, record: Record) -> None:
        self._write(record_line(record))

    def _write(self, line: str) -> None:
        rest = memoryview(line.encode() + b"\n")
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        os.close(self._file)


class Csv:
    """One row for each group and step, for spreadsheets.

    A run that is resumed at a step keeps the rows of earlier steps and drops the others.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._columns = [field.name for field in fields(Measurement)]
        self._file: IO[str] | None = None

    def header(self, header: Header) -> None:
        if self._file is None:
            head = ["step", "group", *self._columns]
            self._path.parent.mkdir(parents=True, exist_ok=True)
            resumed = header.start > 0 and self._path.is_file()
            if resumed:
                write_whole(self._path.resolve(), _rows_before(self._path, head, header.start))
            mode = "a" if resumed else "w"
            self._file = open(self._path, mode, newline="", encoding="utf-8")  # noqa: SIM115
            if not resumed:
                csv.writer(self._file).writerow(head)

    def record(self, record: Record) -> None:
        assert self._file is not None
        rows = csv.writer(self._file)
        for name, measured in record.groups.items():
            values = asdict(measured)
            rows.writerow([record.step, name, *(values[key] for key in self._columns)])
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _rows_before(path: Path, head: list[str], start: int) -> Iterator[str]:
    """The head and the rows of steps before `start`, each as a line of CSV."""
    line = io.StringIO(newline="")
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        earlier = (row for row in csv.reader(file) if _is_before(row, head, start))
        for row in chain([head], earlier):
            csv.writer(line).writerow(row)
            yield line.getvalue()
            line.seek(0)
            line.truncate()


def _is_before(row: list[str], head: list[str], start: int) -> bool:
    return len(row) == len(head) and row[0].isdecimal() and int(row[0]) < start


class TensorBoard:
    """Scalars `GROUP/lr`, `GROUP/gradient_norm`, ... through torch's SummaryWriter, which `make`
    makes for a run that starts at a step."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self._make = make
        self._writer: Any = None

    def header(self, header: Header) -> None:
        if self._writer is None:
            self._writer = self._make(header.start)

    def record(self, record: Record) -> None:
        for name, measured in record.groups.items():
            for key, value in asdict(measured).items():
                if value is not None:
                    self._writer.add_scalar(f"{name}/{key}", value, record.step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class Call:
    """Calls the function `on_record` with every record."""

    def __init__(self, function: Callable[[Record], object]) -> None:
        self._function = function

    def header(self, header: Header) -> None:
        pass

    def record(self, record: Record) -> None:
        self._function(record)

    def close(self) -> None:
        pass
