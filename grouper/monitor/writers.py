"""Where records go: JSON Lines always; CSV and TensorBoard when asked for.

A writer that fails (full disk, folder gone) warns once and is silent from then on: a training
run never stops because of its monitor.
"""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol

from grouper.monitor.record import GroupFacts, Measurement, Record, header_line, record_line


class Writer(Protocol):
    """Takes the header once, then every record."""

    def header(self, groups: Mapping[str, GroupFacts]) -> None: ...

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

    def header(self, groups: Mapping[str, GroupFacts]) -> None:
        self._write(header_line(groups))

    def record(self, record: Record) -> None:
        self._write(record_line(record))

    def _write(self, line: str) -> None:
        rest = memoryview(line.encode() + b"\n")
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        os.close(self._file)


class Csv:
    """One row per group and step, for spreadsheets."""

    def __init__(self, path: str | Path) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "a", newline="", encoding="utf-8")  # noqa: SIM115
        self._columns = [field.name for field in fields(Measurement)]
        self._rows = csv.writer(self._file)

    def header(self, groups: Mapping[str, GroupFacts]) -> None:
        if self._file.tell() == 0:
            self._rows.writerow(["step", "group", *self._columns])
            self._file.flush()

    def record(self, record: Record) -> None:
        for name, measured in record.groups.items():
            values = asdict(measured)
            self._rows.writerow([record.step, name, *(values[key] for key in self._columns)])
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class TensorBoard:
    """Scalars `GROUP/lr`, `GROUP/gradient_norm`, ... through `torch.utils.tensorboard`."""

    def __init__(self, folder: str | Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder))

    def header(self, groups: Mapping[str, GroupFacts]) -> None:
        pass

    def record(self, record: Record) -> None:
        for name, measured in record.groups.items():
            for key, value in asdict(measured).items():
                if value is not None:
                    self._writer.add_scalar(f"{name}/{key}", value, record.step)

    def close(self) -> None:
        self._writer.close()


class Patient:
    """A writer that gives up with one warning instead of an exception."""

    def __init__(self, name: str, make: Callable[[str | Path], Writer], target: str | Path) -> None:
        self._name = name
        self._writer: Writer | None = None
        try:
            self._writer = make(target)
        except (OSError, ImportError) as error:
            self._give_up(error)

    def header(self, groups: Mapping[str, GroupFacts]) -> None:
        self._try("header", groups)

    def record(self, record: Record) -> None:
        self._try("record", record)

    def close(self) -> None:
        self._try("close")

    def _try(self, method: str, *arguments: object) -> None:
        if self._writer is None:
            return
        try:
            getattr(self._writer, method)(*arguments)
        except (OSError, ValueError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._writer = None
        warnings.warn(
            f"the monitor stops writing {self._name}: {error}; training goes on",
            RuntimeWarning,
            stacklevel=2,
        )
