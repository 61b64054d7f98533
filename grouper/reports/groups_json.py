"""The groups as JSON: one object with stable keys (see docs/groups.schema.json)."""

from __future__ import annotations

from typing import Any

from grouper.checks.report import Report
from grouper.group.group import Group
from grouper.reports.json import VERSION, dumps, group_value, model_value
from grouper.reports.plan.json import schedule_value
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


def groups_json(report: Report, plan: Plan | None = None) -> str:
    """Optimizers, groups, and parameters in no group; with a plan, each group's schedule."""
    grouping = report.grouping
    assert grouping is not None
    assigned = report.assignment.parameters if report.assignment else ()
    schedules: list[GroupSchedule | None] = (
        list(plan.groups) if plan else [None] * len(grouping.groups)
    )
    run = {"epochs": plan.epochs, "steps_per_epoch": plan.steps_per_epoch} if plan else None
    return dumps(
        {
            "version": VERSION,
            "model": model_value(report.inventory),
            "run": run,
            "optimizers": [
                {"name": o.key, "class": o.name, "options": dict(o.options)}
                for o in report.rules.optimizers
            ],
            "groups": [
                _group(group, schedule)
                for group, schedule in zip(grouping.groups, schedules, strict=True)
            ],
            "frozen": [parameter.name for parameter in grouping.frozen],
            "unmatched": [a.parameter.name for a in assigned if a.uncovered_splits],
            "tied": {n: p.name for p in report.inventory.parameters for n in p.names[1:]},
        }
    )


def _group(group: Group, schedule: GroupSchedule | None) -> dict[str, Any]:
    return {**group_value(group), "course": schedule_value(schedule) if schedule else None}
