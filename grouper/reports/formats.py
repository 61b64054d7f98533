"""The output formats: for each kind of value that a command shows, its renderers by name.

A renderer takes the value and the `Output`, and returns the text, whole or in pieces. Its row names
it as `module:function`, so that only what is asked for is imported. A further format of reports is
one file and one row of REPORTS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Generic, TypeVar

from grouper.reports.output import Output

if TYPE_CHECKING:
    from grouper.checks.report import Report
    from grouper.model.inventory import Inventory
    from grouper.reports.explain import Explanation
    from grouper.reports.planned import Planned

T = TypeVar("T")


@dataclass(frozen=True)
class Formats(Generic[T]):
    """The output formats of one kind of value."""

    renderers: Mapping[str, str]

    def but(self, **renderers: str) -> Formats[T]:
        """The same formats, some with another renderer."""
        return Formats({**self.renderers, **renderers})

    def render(self, name: str, value: T, output: Output) -> Iterable[str]:
        """The text in pieces. Raises KeyError where there is no such format."""
        text: str | Iterable[str] = resolve_name(self.renderers[name])(value, output)
        return [text] if isinstance(text, str) else text


FOR_PEOPLE = ("text",)  # the other formats are read by programs

REPORTS: Formats[Sequence[Report]] = Formats(
    {
        "text": "grouper.reports.terminal:render_reports",
        "json": "grouper.reports.json:render_reports",
        "concise": "grouper.reports.ci.concise:render_reports",
        "sarif": "grouper.reports.ci.sarif:render_reports",
        "github": "grouper.reports.ci.github:render_reports",
        "gitlab": "grouper.reports.ci.gitlab:render_reports",
        "junit": "grouper.reports.ci.junit:render_reports",
    }
)
# The page that a format adds to what it prints, and the variable that names the page's file.
PAGES: Formats[Sequence[Report]] = Formats(
    {"github": "grouper.reports.ci.github_summary:render_reports"}
)
PAGE_FILES = {"github": "GITHUB_STEP_SUMMARY"}
FINDINGS: Formats[Report] = Formats(
    {
        "text": "grouper.reports.terminal:render_findings",
        "json": "grouper.reports.json:render_report",
    }
)
GROUPS = FINDINGS.but(text="grouper.reports.groups:render_groups")
GROUP_NAMES = FINDINGS.but(text="grouper.reports.groups:render_names")
EXPLANATION: Formats[Explanation] = Formats(
    {
        "text": "grouper.reports.explain:render_text",
        "json": "grouper.reports.explain:render_json",
    }
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
    }
)
EMITTED: Formats[Planned] = Formats(
    {
        "json": "grouper.reports.planned:render_groups",
        "python": "grouper.reports.planned:render_python",
    }
)
