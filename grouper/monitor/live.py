"""The live table of a training on stderr: in place, or above progress bars."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from typing import Any

from rich.console import Console, Group
from rich.live import Live

from grouper.monitor.record import Header, Record
from grouper.monitor.run import LAST_RECORDS, Run
from grouper.monitor.table import plain, report
from grouper.monitor.verdicts import verdicts

IN_PLACE, ABOVE_BARS = 0.5, 30.0  # seconds between two tables


def screen(stderr: bool = False, color: str = "auto") -> Console:
    """A console that can draw in place; `color="never"` turns off the colors alone."""
    plain = color == "never" or (color == "auto" and bool(os.environ.get("NO_COLOR")))
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=plain,
        legacy_windows=False,
    )


class LiveTable:
    """Shows the latest record where stderr is a terminal, and does nothing elsewhere.

    A table that is redrawn in place and a progress bar overwrite each other. While tqdm draws a
    bar, the table is printed above it from time to time.
    """

    def __init__(self) -> None:
        self._out = screen(stderr=True)
        self._enabled = sys.stderr.isatty() and not self._out.is_dumb_terminal
        self._header: Header | None = None
        self._records: deque[Record] = deque(maxlen=LAST_RECORDS)
        self._count = 0
        self._live: Live | None = None
        self._drawn_at = float("-inf")
        self._outdated = False

    def header(self, header: Header) -> None:
        self._header = header

    def record(self, record: Record) -> None:
        if not self._enabled:
            return
        self._records.append(record)
        self._count += 1
        self._outdated = True
        bars = _bars()
        if time.monotonic() - self._drawn_at >= (ABOVE_BARS if bars else IN_PLACE):
            self._show(bars)

    def close(self) -> None:
        if self._outdated:
            self._show(_bars())
        self._release()

    def _show(self, bars: Any) -> None:
        if bars:
            self._release()
            with bars.external_write_mode(sys.stderr):
                self._out.print(self._table())
        else:
            if self._live is None:
                self._live = Live(console=self._out, auto_refresh=False)
                self._live.start()
            self._live.update(self._table(), refresh=True)
        self._drawn_at, self._outdated = time.monotonic(), False

    def _release(self) -> None:
        """Stop drawing; the last table stays on the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self) -> Group:
        run = Run(self._header, tuple(self._records), self._count)
        return Group(*report(run, "training", verdicts(run), plain(self._out)))


def _bars() -> Any:
    """tqdm's class while it draws a bar, else None."""
    module = sys.modules.get("tqdm")
    bars: Any = getattr(module, "tqdm", None)
    drawn = [bar for bar in getattr(bars, "_instances", ()) if not bar.disable]
    return bars if drawn else None
