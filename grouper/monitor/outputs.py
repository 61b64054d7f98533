"""The writers that a monitor's arguments ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from grouper.monitor.record import Record
from grouper.monitor.safe_writer import SafeWriter
from grouper.monitor.writers import Call, Csv, JsonLines, TensorBoard


def writers_for(
    path: str | Path,
    csv: str | Path | None,
    tensorboard: Callable[[int], Any] | None,
    live: bool,
    on_record: Callable[[Record], object] | None,
) -> list[SafeWriter]:
    """One writer for each argument that is given; `tensorboard` as TensorBoard takes it."""
    writers = [SafeWriter(str(path), lambda: JsonLines(path))]
    if csv is not None:
        writers.append(SafeWriter(str(csv), lambda: Csv(csv)))
    if tensorboard is not None:
        writers.append(SafeWriter("for TensorBoard", lambda: TensorBoard(tensorboard)))
    if live:
        from grouper.monitor.live import LiveTable

        writers.append(SafeWriter("the live table", LiveTable))
    if on_record is not None:
        writers.append(SafeWriter("to `on_record`", lambda: Call(on_record)))
    return writers


def close(writers: Iterable[SafeWriter]) -> None:
    """Close the files of all writers."""
    for writer in writers:
        writer.close()
