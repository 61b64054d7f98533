"""The groups as a Python file: plain torch that gives them on the live model."""

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
from grouper.reports.python.shape_guards import asked
from grouper.text.printable import visible
from grouper.train.plan import Plan
from grouper.version import __version__

LONGEST = 60  # characters of a file's name
FACTS = {"shape": templates.SHAPES, "ndim": templates.DIMENSIONS}


def python_code(report: Report, plan: Plan | None = None) -> str:
    """A Python file for torch 2.6 or later: `param_groups`, `freeze` and `build_optimizer`, and
    `plan` and `set_rates` where there is a plan; as `ruff format` would have it.

    Raises ValueError where the rules cannot be said in Python.
    """
    grouping = report.grouping
    assert grouping is not None
    optimizers = _used(report, grouping)
    planned = plan_code(plan) if plan is not None else PlanCode((), "", ())
    blocks = [
        _head(report, optimizers),
        _imports(planned.imports, torch=bool(optimizers or planned.functions)),
        *([planned.constants] if planned.constants else []),
        *constants(report, grouping, len(optimizers) > 1),
    ]
    functions = [*_functions(report, optimizers), *planned.functions]
    return "\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join(functions) + "\n"


def _used(report: Report, grouping: Grouping) -> list[Optimizer]:
    chosen = {group.optimizer for group in grouping.groups}
    return [o for o in report.rules.optimizers if (o.key) in chosen]


def _head(report: Report, optimizers: list[Optimizer]) -> str:
    lines = [
        f"# Parameter groups of {_short(report.inventory.path)}",
        f"# by {_short(report.rules.path)}, in plain torch (2.6 or later).",
        f"# Written by grouper {__version__}: change the rules and emit it again, do not edit it.",
    ]
    if not optimizers:
        lines.append("# The rules name no optimizer for them: give param_groups() to one of yours.")
    return "\n".join(lines)


def _short(path: str) -> str:
    """The name of a file without its folders, which are nobody's business."""
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
    """The check of the model's parameters, with the questions that there is something to ask of."""
    others = left(report)
    lists = ["*FROZEN"]
    lists += ["*FROZEN_BY_MODEL"] if others.by_model else []
    lists += ["*UNTRAINED"] if others.unmatched else []
    lists += ["*TIED"] if others.tied else []
    said = [
        templates.DUE.replace("[{lists}]", f"[{', '.join(lists)}]" if lists[1:] else "FROZEN"),
        templates.DIFFERENCES.replace("{first}", templates.FIRST[bool(others.tied)]),
        templates.BY_MODEL if others.by_model else "",
        templates.SHARED if others.tied else "",
        FACTS.get(asked(report.rules) or "", ""),
    ]
    return "".join(said) + "    return wrong"
