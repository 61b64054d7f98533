"""`grouper monitor --follow`: a run as it goes on, until the user has seen enough (Ctrl-C)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live

from grouper.cli.run_file import RunFile
from grouper.monitor.live import screen
from grouper.monitor.run import Run
from grouper.monitor.table import plain, report, sentence
from grouper.monitor.verdicts import Verdict
from grouper.reports.output import console
from grouper.text.printable import visible

PAUSE = 0.5  # seconds between two looks at the file

Judge = Callable[[Run], tuple[Verdict, ...]]


def follow(path: str, judge: Judge, color: str) -> tuple[Verdict, ...]:
    """Show a run until Ctrl-C; what was said of it last.

    On a terminal it is one table, drawn again and again; elsewhere each thing that goes wrong is a
    line when it is first said.
    """
    said: tuple[Verdict, ...] = ()
    out = screen(color=color) if sys.stdout.isatty() else console(color)
    try:
        file = _awaited(path)
        with Live(console=out, auto_refresh=False) if sys.stdout.isatty() else _Lines(out) as shown:
            before: Run | None = None
            while True:
                run = file.look()
                if run == before:
                    time.sleep(PAUSE)
                    continue
                before, said = run, judge(run)
                if isinstance(shown, _Lines):
                    shown.say(said)
                else:
                    shown.update(Group(*report(run, path, said, plain(out))), refresh=True)
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        return said


class _Lines:
    """Says of each group what is wrong with it, and says it once."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._known: set[tuple[str | None, str]] = set()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, said: tuple[Verdict, ...]) -> None:
        for verdict in said:
            if (verdict.group, verdict.kind) not in self._known:
                self._out.print(sentence(verdict), soft_wrap=True)
                self._out.file.flush()
        self._known = {(verdict.group, verdict.kind) for verdict in said}


def _awaited(path: str) -> RunFile:
    """The file; a training may have been started that has not written yet."""
    there = Path(path)
    if not there.exists() and there.parent.is_dir():
        print(f"waiting for {visible(path)}", file=sys.stderr)
        while not there.exists():
            time.sleep(PAUSE)
    return RunFile(path)
