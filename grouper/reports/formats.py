"""The output formats: for each kind of value that a command prints, its renderers by name.

A renderer takes the value and the `Output`, and returns the text, whole or in pieces. It is given
as `module:function`, so that only the renderer in use is imported. A new format of reports is one
file and one row of REPORTS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

from grouper.reports.output import Output
from grouper.text.dataclass import dataclass

if TYPE_CHECKING:
    from grouper.checks.audit.audit import Audit
    from grouper.checks.report import Report
    from grouper.group.diff import Diff
    from grouper.model.inventory import Inventory
    from grouper.reports.explain.explanation import Explanation
    from grouper.reports.planned import Planned

T = TypeVar("T")


@dataclass(frozen=True)
class Formats(Generic[T]):
    """The output formats of one kind of value."""

    renderers: Mapping[str, str]

    def but(self, **renderers: str) -> Formats[T]:
        """The same formats, some of them with another renderer."""
        return Formats({**self.renderers, **renderers})

    def render(self, name: str, value: T, output: Output) -> Iterable[str]:
        """The text in pieces. Raises KeyError for an unknown format."""
        content: object = _reports(value) if self.renderers[name] == CI.get(name) else value
        module, _, function = self.renderers[name].partition(":")
        text: str | Iterable[str] = getattr(import_module(module), function)(content, output)
        return [text] if isinstance(text, str) else text


def _reports(value: object) -> object:
    """The reports of a value that is a report, has one, or is a list of them."""
    one = getattr(value, "report", value)
    return one if isinstance(one, Sequence) else [one]


FOR_PEOPLE = ("text",)  # the other formats are read by programs

# Only the findings, for CI systems and editors.
CI = {
    "concise": "grouper.reports.ci.concise:render_reports",
    "sarif": "grouper.reports.ci.sarif:render_reports",
    "github": "grouper.reports.ci.github:render_reports",
    "gitlab": "grouper.reports.ci.gitlab:render_reports",
    "junit": "grouper.reports.ci.junit:render_reports",
}
REPORTS: Formats[Sequence[Report]] = Formats(
    {
        "text": "grouper.reports.terminal:render_reports",
        "json": "grouper.reports.json:render_reports",
        **CI,
    }
)
# The page that a format writes besides its output, and the variable that names the page's file.
PAGES: Formats[Sequence[Report]] = Formats(
    {"github": "grouper.reports.ci.github_summary:render_reports"}
)
PAGE_FILES = {"github": "GITHUB_STEP_SUMMARY"}
FINDINGS: Formats[Report] = Formats(
    {
        "text": "grouper.reports.terminal:render_findings",
        "json": "grouper.reports.json:render_report",
        **CI,
    }
)
GROUPS = FINDINGS.but(text="grouper.reports.groups:render_groups")
GROUP_NAMES = FINDINGS.but(text="grouper.reports.groups:render_names")
EXPLANATION: Formats[Explanation] = Formats(
    {
        "text": "grouper.reports.explain.text:render_text",
        "json": "grouper.reports.explain.json:render_json",
    }
)
AUDIT: Formats[Audit] = Formats(
    {
        "text": "grouper.reports.audit:render_text",
        "json": "grouper.reports.audit:render_json",
        "concise": "grouper.reports.ci.audits:render_concise",
        "sarif": "grouper.reports.ci.audits:render_sarif",
        "github": "grouper.reports.ci.audits:render_github",
        "gitlab": "grouper.reports.ci.audits:render_gitlab",
        "junit": "grouper.reports.ci.audits:render_junit",
    }
)
DIFF: Formats[Diff] = Formats(
    {"text": "grouper.reports.diff:render_text", "json": "grouper.reports.diff:render_json"}
)
PARAMETERS: Formats[Inventory] = Formats(
    {
        "text": "grouper.reports.inventory:render_table",
        "json": "grouper.reports.json:render_inventory",
    }
)
PARAMETER_TREE = PARAMETERS.but(text="grouper.reports.inventory:render_tree")
PLAN: Formats[Planned] = Formats(
    {
        "text": "grouper.reports.planned:render_text",
        "csv": "grouper.reports.planned:render_csv",
        "json": "grouper.reports.planned:render_json",
        **CI,
    }
)
EMITTED: Formats[Planned] = Formats(
    {
        "json": "grouper.reports.planned:render_groups",
        "python": "grouper.reports.planned:render_python",
    }
)
