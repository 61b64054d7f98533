"""The columns of Ultralytics' results.csv."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grouper.group.group import unique
from grouper.text.write_file import write_whole

NAN = math.nan


def columns_of(names: Iterable[str]) -> list[str]:
    """The lr column of each group, `lr/head/bias`: unique, without commas, quotes and spaces."""
    columns: set[str] = set()
    return [unique("lr/" + re.sub(r'[,"\s]', "_", name), columns) for name in names]


def widen(path: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """The metrics in the order of the file's columns, nan for a column without a metric.

    A metric without a column is added to the file as one, with nan in the rows above.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
    except (OSError, ValueError):
        return metrics
    added = [name for name in metrics if name not in head]
    if added:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(head + added)
        writer.writerows(row + ["nan"] * len(added) for row in rows)
        write_whole(path, [text.getvalue()])
    return {name: metrics.get(name, NAN) for name in [*head[2:], *added]}
