"""`grouper monitor --follow`: shows a run live, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Group
from rich.live import Live

from grouper.cli import streams
from grouper.cli.run_file import RunFile
from grouper.cli.write import emit
from grouper.monitor.live import screen
from grouper.monitor.run import Run
from grouper.monitor.table import plain, report, sentence
from grouper.monitor.verdicts import Verdict
from grouper.reports.output import Output
from grouper.text.printable import visible

PAUSE = 0.5  # seconds between two reads of the file

Judge = Callable[[Run], tuple[Verdict, ...]]


def follow(path: str, judge: Judge, color: str) -> tuple[Verdict, ...]:
    """Show a run until Ctrl-C and return its last verdicts.

    On a terminal, one table is redrawn in place; in a pipe, each verdict is printed as a line when
    it first appears.
    """
    verdicts: tuple[Verdict, ...] = ()
    out = screen(color=color)
    try:
        file = _wait_for(path)
        live = Live(console=out, auto_refresh=False) if sys.stdout.isatty() else _Lines(color)
        with live as view:
            before: Run | None = None
            while True:
                run = file.look()
                if run == before:
                    time.sleep(PAUSE)
                    continue
                before, verdicts = run, judge(run)
                if isinstance(view, _Lines):
                    view.print_new(verdicts)
                else:
                    view.update(Group(*report(run, path, verdicts, plain(out))), refresh=True)
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        return verdicts


class _Lines:
    """Prints each verdict about a group once."""

    def __init__(self, color: str) -> None:
        self._output = Output.to(sys.stdout, color)
        self._known: set[tuple[str | None, str]] = set()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def print_new(self, verdicts: tuple[Verdict, ...]) -> None:
        for verdict in verdicts:
            if (verdict.group, verdict.kind) not in self._known:
                emit(self._output.line(sentence(verdict)))
                streams.flush()
        self._known = {(verdict.group, verdict.kind) for verdict in verdicts}


def _wait_for(path: str) -> RunFile:
    """Opens the file once it exists; a training run may not have written it yet."""
    target = Path(path)
    if not target.exists() and target.parent.is_dir():
        streams.report(f"waiting for {visible(path)}")
        while not target.exists():
            time.sleep(PAUSE)
    return RunFile(path)
