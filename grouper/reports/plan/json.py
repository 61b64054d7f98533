"""The plan as JSON: one object with stable keys (see docs/plan.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import indent
from typing import Any

from grouper.checks.report import Report
from grouper.group.group import Group
from grouper.reports.json import VERSION, dumps, findings_value, model_value
from grouper.reports.plan.csv import strided
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


def plan_json(report: Report, plan: Plan, stride: int = 1) -> Iterator[str]:
    """The run, the steps, and for each group its schedule and its values at these steps, in pieces,
    with each list of numbers on one line."""
    steps = strided(plan, stride)
    values = plan.over(steps)
    grouping = report.grouping
    assert grouping is not None
    head = {
        "version": VERSION,
        "model": model_value(report.inventory),
        "epochs": plan.epochs,
        "steps_per_epoch": plan.steps_per_epoch,
    }
    yield f'{_open(head)},\n  "steps": {json.dumps(steps)},\n  "groups": ['
    for number, (group, schedule) in enumerate(zip(grouping.groups, plan.groups, strict=True)):
        curves = values[schedule.name]
        yield ",\n" if number else "\n"
        yield indent(_open(_group(group, schedule)), "    ")
        others = [key for key in curves if key not in ("lr", "momentum")]
        for key in ("lr", "momentum", *others):
            yield f',\n      "{key}": {json.dumps(curves.get(key))}'
        yield "\n    }"
    yield "\n  ]" if grouping.groups else "]"
    tail = {"findings": findings_value(report.findings), "ok": report.ok}
    yield f",{dumps(tail).removeprefix('{')}\n"


def schedule_value(group: GroupSchedule) -> dict[str, Any]:
    """The schedule of a group's lr and momentum; `betas` is whether momentum is the first beta."""
    return {
        "lr": group.lr,
        "warmup_steps": group.warmup_steps,
        "warmup_start": group.start,
        "momentum": group.momentum,
        "warmup_momentum": group.warmup_momentum,
        "betas": group.momentum_is_beta1,
        "schedule": group.schedule.name,
        "schedule_options": dict(group.schedule.options),
        **({} if group.warmup_shape == "linear" else {"warmup_shape": group.warmup_shape}),
        **({} if not group.first else {"first_step": group.first}),
        **({} if group.end is None else {"end_step": group.end}),
    }


def _group(group: Group, schedule: GroupSchedule) -> dict[str, Any]:
    return {"name": group.name, "optimizer": group.optimizer, "course": schedule_value(schedule)}


def _open(value: dict[str, Any]) -> str:
    """An object without its closing brace, so that more keys can follow."""
    return dumps(value).removesuffix("\n}")
