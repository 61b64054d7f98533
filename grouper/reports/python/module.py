"""The groups as a Python file, which builds them for a live model in plain torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from grouper.checks.report import Report
from grouper.group.grouping import Grouping
from grouper.language.ruleset import Optimizer
from grouper.reports.python import templates
from grouper.reports.python.build_optimizer import build_source
from grouper.reports.python.constants import constants, left
from grouper.reports.python.plan import PlanCode, plan_code
from grouper.reports.python.shape_guards import shape_fact
from grouper.text.printable import visible
from grouper.train.plan import Plan
from grouper.version import __version__

LONGEST = 60  # characters of a file's name
FACTS = {"shape": templates.SHAPES, "ndim": templates.DIMENSIONS}


def python_code(report: Report, plan: Plan | None = None) -> str:
    """A Python file for torch 2.6 or later, formatted like `ruff format`, with `param_groups`,
    `freeze` and `build_optimizer`, and with `plan` and `set_rates` if there is a plan.

    Raises ValueError if the rules cannot be expressed in Python.
    """
    grouping = report.grouping
    assert grouping is not None
    optimizers = _optimizers(report, grouping)
    planned = plan_code(plan) if plan is not None else PlanCode((), "", ())
    blocks = [
        _head(report, optimizers),
        _imports(planned.imports, torch=bool(optimizers or planned.functions)),
        *([planned.constants] if planned.constants else []),
        *constants(report, grouping, len(optimizers) > 1),
    ]
    functions = [*_functions(report, optimizers), *planned.functions]
    return "\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join(functions) + "\n"


def _optimizers(report: Report, grouping: Grouping) -> list[Optimizer]:
    names = {group.optimizer for group in grouping.groups}
    return [o for o in report.rules.optimizers if (o.key) in names]


def _head(report: Report, optimizers: list[Optimizer]) -> str:
    lines = [
        f"# Parameter groups of {_short(report.inventory.path)}",
        f"# by {_short(report.rules.path)}, in plain torch (2.6 or later).",
        f"# Written by grouper {__version__}. Do not edit it: change the rules and emit it again.",
    ]
    if not optimizers:
        lines.append("# The rules declare no optimizer: pass param_groups() to your own.")
    return "\n".join(lines)


def _short(path: str) -> str:
    """The name of a file, without its folders, which may be private."""
    name = visible(PurePath(path).name or path)
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}..."


def _imports(more: Iterable[str], torch: bool) -> str:
    standard = {*more, "from typing import Any"}
    ordered = sorted(standard, key=lambda line: (line.startswith("from"), line))
    return "\n".join([*ordered, "", *(["import torch"] if torch else []), "from torch import nn"])


def _functions(report: Report, optimizers: list[Optimizer]) -> Iterator[str]:
    yield templates.GROUPS.rstrip()
    if optimizers:
        yield build_source(optimizers)
    yield templates.NAMES.rstrip()
    yield _differences(report)


def _differences(report: Report) -> str:
    """The function that checks the model's parameters, with only the checks that are needed."""
    others = left(report)
    lists = ["*FROZEN"]
    lists += ["*FROZEN_BY_MODEL"] if others.by_model else []
    lists += ["*UNTRAINED"] if others.unmatched else []
    lists += ["*TIED"] if others.tied else []
    parts = [
        templates.EXPECTED.replace("[{lists}]", f"[{', '.join(lists)}]" if lists[1:] else "FROZEN"),
        templates.DIFFERENCES.replace("{first}", templates.FIRST[bool(others.tied)]),
        templates.BY_MODEL if others.by_model else "",
        templates.SHARED if others.tied else "",
        FACTS.get(shape_fact(report.rules) or "", ""),
    ]
    return "".join(parts) + "    return problems"
