"""A run as one JSON object with stable keys (see docs/monitor.md)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from grouper.monitor.record import json_number
from grouper.monitor.run import Run
from grouper.monitor.verdicts import Verdict
from grouper.reports.json import dumps
from grouper.text.findings import Severity

VERSION = 1


def summary_json(run: Run, path: str, verdicts: tuple[Verdict, ...]) -> str:
    """The last record of every group, and the verdicts."""
    last = run.records[-1] if run.records else None
    value = {
        "version": VERSION,
        "path": path,
        "first_step": run.records[0].step if run.records else None,
        "last_step": last.step if last else None,
        "measured": run.count,
        "broken_lines": run.broken,
        "groups": [_group(run, name) for name in (last.groups if last else run.groups)],
        "untouched": list(last.untouched) if last else [],
        "verdicts": [_verdict(verdict) for verdict in verdicts],
        "ok": all(verdict.severity is not Severity.ERROR for verdict in verdicts),
    }
    return dumps(value)


def _group(run: Run, name: str) -> dict[str, Any]:
    facts = run.groups.get(name)
    last = run.records[-1].groups[name] if run.records else None
    return {
        "name": name,
        "parameters": facts.parameters if facts else None,
        "values": facts.values if facts else None,
        "rule": facts.rule if facts else None,
        "last": {k: json_number(v) for k, v in asdict(last).items()} if last else None,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {**asdict(verdict), "severity": verdict.severity.value}
