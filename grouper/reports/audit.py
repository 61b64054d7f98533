"""An audit as text and JSON: the model, the optimizers, their groups, the findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grouper.checks.audit.audit import Audit
from grouper.checks.report import Report
from grouper.group.optimizer_groups import OptimizerGroups
from grouper.language.ruleset import RuleSet
from grouper.reports.finding_text import findings_lines
from grouper.reports.groups import grouping_lines
from grouper.reports.json import VERSION, dumps, findings_value, model_value
from grouper.reports.lines import Line, styled
from grouper.reports.model_lines import model_lines
from grouper.reports.output import Output
from grouper.text.findings import severity_counts
from grouper.text.printable import count_phrase, visible


def render_text(audit: Audit, output: Output) -> str:
    return output.text(audit_lines(audit, output))


def render_json(audit: Audit, _output: Output) -> str:
    return dumps(audit_value(audit))


def audit_lines(audit: Audit, output: Output) -> Iterator[Line]:
    """The model, the optimizers, the groups, the findings, and a closing line with the result."""
    if not output.quiet:
        yield from model_lines(audit.inventory)
        yield from optimizer_lines(audit)
        yield Line()
        yield from grouping_lines(audit.grouping, output)
        yield Line()
    yield from findings_lines(audit.findings, output)
    if not output.quiet or not audit.ok:
        yield closing_line(audit)


def optimizer_lines(audit: Audit) -> list[Line]:
    """A line for each optimizer: its class, its groups, and how its parameters were found."""
    return [_optimizer_line(optimizer) for optimizer in audit.optimizers]


def _optimizer_line(optimizer: OptimizerGroups) -> Line:
    tensors = [t for group in optimizer.groups for t in (*group.parameters, *group.strays)]
    facts = f"{count_phrase(optimizer.groups, 'group')}, {count_phrase(tensors, 'tensor')}"
    remark = ""
    if optimizer.guessed:
        remark = "; their parameters are guessed from counts: the state has no names, and no"
        remark += " shapes before the first step"
    elif not optimizer.named:
        remark = "; parameters are matched by order and shape, since the state has no names"
    name = optimizer.optimizer or "optimizer of unknown class"
    return styled((visible(name), "bold"), f": {facts}{remark}")


def closing_line(audit: Audit) -> Line:
    """The last line: whether there are errors, and the numbers of findings."""
    phrases = ", ".join(severity_counts(finding.severity for finding in audit.findings))
    if not audit.ok:
        return styled(("failed: ", "bold red"), phrases)
    groups = count_phrase(audit.grouping.groups, "group")
    return styled((f"ok: {groups}", "bold green"), f"; {phrases}" if phrases else "")


def audit_value(audit: Audit) -> dict[str, Any]:
    """The values of the JSON object, with all options of the groups."""
    return {
        "version": VERSION,
        "path": audit.path,
        "model": model_value(audit.inventory),
        "optimizers": [
            {
                "class": optimizer.optimizer,
                "named": optimizer.named,
                "groups": [
                    {
                        "options": dict(group.options),
                        "parameters": list(group.parameters),
                        "strays": [
                            {"name": stray.name, "shape": stray.shape and list(stray.shape)}
                            for stray in group.strays
                        ],
                    }
                    for group in optimizer.groups
                ],
            }
            for optimizer in audit.optimizers
        ],
        "frozen": [parameter.name for parameter in audit.grouping.frozen],
        "findings": findings_value(audit.findings),
        "ok": audit.ok,
    }


def report_of(audit: Audit) -> Report:
    """The audit as a report, for formats that contain only findings."""
    path = RuleSet(path=audit.path)
    return Report(path, audit.inventory, audit.findings, None, audit.grouping)
