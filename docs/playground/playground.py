"""Functions of the playground's worker: read a model once, and check rules against it."""

from __future__ import annotations

import time

from grouper.api.check import check as check_model
from grouper.api.plan import plan_of
from grouper.api.rules import parse
from grouper.model.errors import ModelError
from grouper.model.inventory import Inventory
from grouper.model.read import read
from grouper.reports.page.page import html_page
from grouper.reports.terminal import report_text
from grouper.text.dataclass import replace

NAME = "my.rules"
_model: Inventory | str = "no model is chosen"


def read_model(path: str) -> None:
    """Reads a model for the following checks; keeps the error message if that fails."""
    global _model
    name = path.rpartition("/")[2]
    try:
        _model = replace(read(path), path=name)
    except (ModelError, OSError) as error:
        _model = f"{name}: {error}"


def check(text: str, epochs: int, steps_per_epoch: int, columns: int) -> dict[str, str]:
    """The report of the rules on the model, as text of that width and as a page."""
    if isinstance(_model, str):
        return {"status": _model, "text": _model, "page": ""}
    start = time.perf_counter()
    report = check_model(_model, parse(text, NAME))
    plan, without = None, ""
    if report.ok and report.grouping is not None:
        try:
            plan = plan_of(report, report.grouping, steps_per_epoch, epochs)
        except (ValueError, TypeError) as error:
            without = f"\nno plan: {error}\n"
    page = html_page(report, plan)
    seconds = time.perf_counter() - start
    status = f"{len(_model.parameters):,} tensors checked in {seconds:.2f} s"
    return {"status": status, "text": report_text(report, columns) + without, "page": page}
