"""Why a parameter has its options: every rule that matches it, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grouper.checks.context import rule_name
from grouper.checks.report import Report
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.match.assignment import ParameterAssignment, Setting
from grouper.match.globs import compile_glob
from grouper.options.values import Configured, value_text
from grouper.reports.json import VERSION, dumps
from grouper.reports.output import Output
from grouper.text.printable import visible
from grouper.text.shown import Shown, line


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """Some parameters of a report, and what the rules say of each."""

    report: Report
    parameters: tuple[ParameterAssignment, ...]

    def __repr__(self) -> str:
        names = ", ".join(assigned.parameter.name for assigned in self.parameters[:3])
        more = f" and {len(self.parameters) - 3} more" if len(self.parameters) > 3 else ""
        return line(self, visible(f"{names}{more}"))


def render_text(explanation: Explanation, _output: Output) -> str:
    parameters = explanation.parameters
    lines = [line for p in parameters for line in parameter_lines(explanation.report, p)]
    return "\n".join(map(visible, lines))


def render_json(explanation: Explanation, _output: Output) -> str:
    values = [parameter_value(explanation.report, p) for p in explanation.parameters]
    return dumps({"version": VERSION, "parameters": values})


def explain(report: Report, name: str) -> Explanation:
    """The explanation of a parameter, or of those that a glob matches; it may be of none."""
    return Explanation(report, tuple(_named(report, name)))


def _named(report: Report, name: str) -> list[ParameterAssignment]:
    assignments = report.assignment.parameters if report.assignment else ()
    exact = [a for a in assignments if name in a.parameter.names]
    if exact:
        return exact
    try:
        selector = parse_selector(name)
    except ValueError:
        return []
    if not isinstance(selector, tree.Glob):
        return []
    matches = compile_glob(selector)
    return [a for a in assignments if any(matches(n) is not None for n in a.parameter.names)]


def parameter_lines(report: Report, assigned: ParameterAssignment) -> list[str]:
    """The explanation of one parameter in lines."""
    parameter = assigned.parameter
    shape = "x".join(map(str, parameter.shape)) if parameter.shape is not None else "shape unknown"
    lines = [
        f"{' = '.join(parameter.names)}  {parameter.dtype or 'dtype unknown'} {shape or 'scalar'}"
    ]
    for match in assigned.matches:
        place = match.rule.span.place if match.rule.span else "built in Python"
        name = f" (as {match.name_of(parameter)})" if parameter.tied else ""
        lines.append(f"  matched by {rule_name(match.rule)} at {place}{name}")
        for setting in assigned.settings:
            if setting.rule is match.rule:
                lines.append(f"    {_setting(setting, assigned)}")
    lines.append(f"  {_outcome(report, assigned)}")
    return lines


def parameter_value(report: Report, assigned: ParameterAssignment) -> dict[str, Any]:
    """The explanation of one parameter for programs."""
    return {
        "parameter": assigned.parameter.name,
        "names": list(assigned.parameter.names),
        "group": _group_name(report, assigned),
        "frozen": assigned.frozen,
        "options": {
            k: str(v) if isinstance(v, Configured) else v for k, v in assigned.options.items()
        },
        "conflicts": list(assigned.conflicts),
        "rules": [
            {
                "rule": rule_name(match.rule).strip("`"),
                "place": match.rule.span.place if match.rule.span else None,
                "name": match.name_of(assigned.parameter),
                "captures": dict(match.captures),
                "sets": [
                    {
                        "key": s.option.key,
                        "operator": s.option.operator,
                        "value": str(s.value) if isinstance(s.value, Configured) else s.value,
                        "won": s.effective,
                    }
                    for s in assigned.settings
                    if s.rule is match.rule
                ],
            }
            for match in assigned.matches
        ],
    }


def _setting(setting: Setting, assigned: ParameterAssignment) -> str:
    key, operator = setting.option.key, setting.option.operator
    written = f"{key}{operator}{value_text(setting.value)}"
    if key in assigned.conflicts:
        return f"{written}  in conflict"
    return written if setting.effective else f"{written}  overridden"


def _outcome(report: Report, assigned: ParameterAssignment) -> str:
    if assigned.frozen:
        by = "the model" if assigned.parameter.trainable is False else "a rule"
        return f"frozen by {by}: in no group"
    if assigned.uncovered_splits:
        where = ", ".join(
            "any rule" if s is None else f"the split `{s}`" for s in assigned.uncovered_splits
        )
        return f"not matched by {where}: in no group"
    options = " ".join(f"{key}={value_text(value)}" for key, value in assigned.options.items())
    return f"group {_group_name(report, assigned)}: {options or 'no options'}"


def _group_name(report: Report, assigned: ParameterAssignment) -> str | None:
    for group in report.grouping.groups if report.grouping else ():
        if any(p is assigned.parameter for p in group.parameters):
            return group.name
    return None
