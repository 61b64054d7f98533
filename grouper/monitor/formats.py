"""The output formats of a run that the monitor wrote."""

from __future__ import annotations

from dataclasses import dataclass

from grouper.monitor.run import Run
from grouper.monitor.verdicts import Verdict
from grouper.reports.formats import Formats
from grouper.reports.output import Output


@dataclass(frozen=True)
class JudgedRun:
    """A run, the path of its file, and what is wrong with it."""

    run: Run
    path: str
    verdicts: tuple[Verdict, ...]


RUN: Formats[JudgedRun] = Formats(
    {
        "text": "grouper.monitor.formats:render_text",
        "json": "grouper.monitor.formats:render_json",
    }
)


def render_text(judged: JudgedRun, output: Output) -> str:
    from rich.console import Console
    from rich.text import Text

    from grouper.monitor.table import plain, report, sentence

    def draw(out: Console) -> None:
        if output.quiet:
            for verdict in judged.verdicts:
                out.print(sentence(verdict), soft_wrap=True)
            return
        for part in report(judged.run, judged.path, judged.verdicts, plain(out)):
            out.print(part, soft_wrap=isinstance(part, Text))

    return output.printed(draw)


def render_json(judged: JudgedRun, _output: Output) -> str:
    from grouper.monitor.json import summary_json

    return summary_json(judged.run, judged.path, judged.verdicts)
