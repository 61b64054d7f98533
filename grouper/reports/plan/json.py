"""The plan for programs: one JSON object with stable keys (see docs/plan.schema.json)."""

from __future__ import annotations

import re
from typing import Any

from grouper.grouping import Group
from grouper.planning import Course, Plan
from grouper.report import Report
from grouper.reports.json import VERSION, dumps, findings_value, model_value
from grouper.reports.plan.csv import strided

# A list of numbers over several lines. A string of JSON has no newline, so none can look like it.
NUMBERS = re.compile(r"\[\n([-+0-9.eE,\s]+)\]")


def plan_json(report: Report, plan: Plan, stride: int = 1) -> str:
    """The run, the steps, and for each group its course and its values at these steps."""
    steps = strided(plan, stride)
    values = plan.over(steps)
    grouping = report.grouping
    assert grouping is not None
    text = dumps(
        {
            "version": VERSION,
            "model": model_value(report.inventory),
            "epochs": plan.epochs,
            "steps_per_epoch": plan.steps_per_epoch,
            "steps": steps,
            "groups": [
                _group(group, course, values[course.name])
                for group, course in zip(grouping.groups, plan.courses, strict=True)
            ],
            "findings": findings_value(report.findings),
            "ok": report.ok,
        }
    )
    return NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)


def course_value(course: Course) -> dict[str, Any]:
    """What a group's lr and momentum follow; `betas`: whether momentum is the first of them."""
    return {
        "lr": course.lr,
        "warmup_steps": course.warmup_steps,
        "warmup_start": course.start,
        "momentum": course.momentum,
        "warmup_momentum": course.warmup_momentum,
        "betas": course.betas,
        "schedule": course.schedule.name,
        "schedule_options": dict(course.schedule.options),
    }


def _group(group: Group, course: Course, values: dict[str, list[float]]) -> dict[str, Any]:
    return {
        "name": group.name,
        "optimizer": group.optimizer,
        "course": course_value(course),
        "lr": values["lr"],
        "momentum": values.get("momentum"),
    }
