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
    }
)
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
