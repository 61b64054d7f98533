"""Where records go: JSON Lines always; CSV and TensorBoard where asked for."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any, Protocol

from grouper.monitor.record import Header, Measurement, Record, header_line, record_line


class Writer(Protocol):
    """Takes a header, then records; another header where groups come or go."""

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

    A run that goes on at a step keeps the rows before it and writes the others anew.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._columns = [field.name for field in fields(Measurement)]
        self._file: IO[str] | None = None

    def header(self, header: Header) -> None:
        if self._file is None:
            head = ["step", "group", *self._columns]
            self._path.parent.mkdir(parents=True, exist_ok=True)
            goes_on = header.start > 0 and self._path.is_file()
            if goes_on:
                _keep_rows(self._path, head, header.start)
            mode = "a" if goes_on else "w"
            self._file = open(self._path, mode, newline="", encoding="utf-8")  # noqa: SIM115
            if not goes_on:
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


def _keep_rows(path: Path, head: list[str], start: int) -> None:
    """Leave the head and the rows of steps before `start`, by a file beside it that is renamed."""
    path = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(head)
            with open(path, newline="", encoding="utf-8", errors="replace") as old:
                rows.writerows(row for row in csv.reader(old) if _before(row, head, start))
        os.chmod(temporary, path.stat().st_mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _before(row: list[str], head: list[str], start: int) -> bool:
    return len(row) == len(head) and row[0].isdecimal() and int(row[0]) < start


class TensorBoard:
    """Scalars `GROUP/lr`, `GROUP/gradient_norm`, ... through `torch.utils.tensorboard`."""

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "the monitor cannot write for TensorBoard, which is not installed:"
                " `pip install tensorboard`, or leave `tensorboard=` out"
            ) from error
        self._make: Callable[..., Any] = SummaryWriter
        self._folder = str(folder)
        self._writer: Any = None

    def header(self, header: Header) -> None:
        if self._writer is None:
            self._writer = self._make(self._folder, purge_step=header.start)

    def record(self, record: Record) -> None:
        for name, measured in record.groups.items():
            for key, value in asdict(measured).items():
                if value is not None:
                    self._writer.add_scalar(f"{name}/{key}", value, record.step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class Call:
    """A function of the user's that takes every record."""

    def __init__(self, function: Callable[[Record], object]) -> None:
        self._function = function

    def header(self, header: Header) -> None:
        pass

    def record(self, record: Record) -> None:
        self._function(record)

    def close(self) -> None:
        pass
