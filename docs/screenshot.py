"""Draws docs/check.svg, the README's picture, from the real command.

python docs/screenshot.py
"""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

import grouper
from grouper.reports.terminal import print_report

ROOT = Path(__file__).parents[1]
RULES = """\
model.24.* -> head lr=0.01
*.bias     -> bias lr=0.02
else       -> rest
model.25.* -> neck lr=0.001
"""


def main() -> None:
    os.chdir(ROOT)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        out = Console(
            record=True, width=100, markup=False, emoji=False, highlight=False, file=nowhere
        )
        out.print(Text("$ grouper check examples/yolov5s.pt mine.rules --key model", "bold"))
        report = grouper.check(
            "examples/yolov5s.pt", grouper.parse(RULES, "mine.rules"), key="model"
        )
        print_report(report, out)
        out.save_svg(str(ROOT / "docs" / "check.svg"), title="grouper check", unique_id="grouper")


if __name__ == "__main__":
    main()
