"""How the library's values are displayed: `text` when printed, `html` in notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import Any

from rich.console import Console
from rich.text import Text

from grouper.checks.audit.audit import Audit
from grouper.checks.report import Report
from grouper.group.diff import Diff
from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet, rules_text
from grouper.model.inventory import Inventory
from grouper.reports.audit import audit_lines
from grouper.reports.bound_groups import bound_entries, bound_lines
from grouper.reports.diff import all_lines
from grouper.reports.explain.explanation import Explanation
from grouper.reports.explain.text import explanation_lines, render_text
from grouper.reports.finding_text import finding_lines, findings_lines
from grouper.reports.groups import grouping_lines
from grouper.reports.html.audit import audit_html
from grouper.reports.html.elements import Element, element, joined, lines
from grouper.reports.html.groups import grouping_html, groups_html
from grouper.reports.html.inventory import inventory_html
from grouper.reports.html.plan import plan_html
from grouper.reports.html.report import finding_html, findings_html, report_html
from grouper.reports.inventory import print_table
from grouper.reports.lines import Line, styled
from grouper.reports.output import Output
from grouper.reports.plan.curves import print_curves
from grouper.reports.plan.table import print_table as print_plan
from grouper.reports.plan.tracks import NOTHING_TO_TRAIN, tracks_of
from grouper.reports.terminal import report_lines
from grouper.text.findings import Finding
from grouper.text.printable import visible
from grouper.train.plan import Plan

TERMINAL = Output(color="never", width=100)


@singledispatch
def text(value: object) -> str:
    """The text of a value, without colours and the last newline."""
    raise TypeError(f"{type(value).__name__} has no view")


@text.register
def _(value: Report) -> str:
    return _lines_text(report_lines(value, TERMINAL))


@text.register
def _(value: Audit) -> str:
    return _lines_text(audit_lines(value, TERMINAL))


@text.register
def _(value: Diff) -> str:
    return _lines_text(all_lines(value))


@text.register
def _(value: Grouping) -> str:
    return _lines_text(grouping_lines(value, TERMINAL))


@text.register
def _(value: Finding) -> str:
    return _lines_text(finding_lines(value, TERMINAL))


@text.register
def _(value: Plan) -> str:
    plan = _printed(lambda out: _print_plan(value, out))
    return "\n\n".join([plan, _lines_text(findings_lines(value.findings, TERMINAL))]).rstrip("\n")


@text.register
def _(value: Inventory) -> str:
    return _printed(lambda out: print_table(value, out))


@text.register
def _(value: Explanation) -> str:
    return "".join(render_text(value, TERMINAL)).rstrip("\n")


@text.register
def _(value: list) -> str:  # type: ignore[type-arg]
    return _lines_text(bound_lines(value, TERMINAL))


@singledispatch
def html(value: object) -> str:
    """The HTML of a value, for notebooks."""
    return lines_html(text(value))


@html.register
def _(value: Report) -> str:
    return report_html(value)


@html.register
def _(value: Audit) -> str:
    return audit_html(value)


@html.register
def _(value: Grouping) -> str:
    return grouping_html(value)


@html.register
def _(value: Finding) -> str:
    return finding_html(value)


@html.register
def _(value: Plan) -> str:
    return plan_html(value)


@html.register
def _(value: Inventory) -> str:
    return inventory_html(value)


@html.register
def _(value: Explanation) -> str:
    return lines(map(_line, explanation_lines(value)))


@html.register
def _(value: RuleSet) -> str:
    rules = lines_html(rules_text(value)) if value.rules else element("p", "no rules")
    return joined([rules, findings_html(value.findings)])


@html.register
def _(value: list) -> str:  # type: ignore[type-arg]
    return groups_html(bound_entries(value))


def lines_html(text: str) -> Element:
    """Text as it is printed on a terminal."""
    return lines(styled(visible(line)) for line in text.splitlines())


def _line(text: Text) -> Line:
    console = Console(width=1_000_000, color_system="standard")
    return styled(*((part, str(style or "")) for part, style, _ in text.render(console)))


def _lines_text(lines: Iterable[Line]) -> str:
    return TERMINAL.text(lines).strip("\n")


def _printed(draw: Any) -> str:
    return TERMINAL.printed(draw).strip("\n")


def _print_plan(plan: Plan, out: Console) -> None:
    tracks = tracks_of(plan)
    if not tracks:
        out.print(NOTHING_TO_TRAIN)
        return
    print_plan(plan, tracks, out)
    print_curves(plan, tracks, out)
