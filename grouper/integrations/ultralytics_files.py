"""What a run of Ultralytics has on disk: the columns of results.csv, the monitor's state."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

NAN = math.nan


def columns_of(names: Iterable[str]) -> list[str]:
    """The lr column of each group, `lr/head/bias`, each once and without a comma in it."""
    columns: list[str] = []
    for name in names:
        column = "lr/" + re.sub(r'[,"\s]', "_", name)
        columns.append(column if column not in columns else f"{column}#{len(columns)}")
    return columns


def widen(path: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """The metrics in the order of the file's columns, nan where there is none.

    Where the file lacks a column, it is added to it, with nan in the rows that are there.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
    except (OSError, ValueError):
        return metrics
    added = [name for name in metrics if name not in head]
    if added:
        beside = path.with_name(f".{path.name}.tmp")
        with beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(head + added)
            writer.writerows(row + ["nan"] * len(added) for row in rows)
        os.replace(beside, path)
    return {name: metrics.get(name, NAN) for name in [*head[2:], *added]}


class MonitorState:
    """Where the monitor was at the last checkpoint, in a file beside it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "monitor.json"

    def save(self, monitor: Any, epoch: int) -> None:
        """Never stops the training: without the file, a resumed monitor counts from 0."""
        beside = self._path.with_suffix(".tmp")
        with suppress(OSError):
            beside.write_text(json.dumps({"epoch": epoch, **monitor.state_dict()}), "utf-8")
            os.replace(beside, self._path)

    def restore(self, monitor: Any, epoch: int) -> None:
        """Go on where it was after that epoch, if the file is of it."""
        with suppress(OSError, ValueError, KeyError):
            state = json.loads(self._path.read_text("utf-8"))
            if state["epoch"] == epoch:
                monitor.load_state_dict(state)
