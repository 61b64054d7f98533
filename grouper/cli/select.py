"""`--select`, `--ignore` and `--strict`: which findings are reported, and how severe they are."""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterable

from grouper.checks.report import Report
from grouper.cli.exit import Failure
from grouper.cli.settings import settings_for
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import Code, Finding, Severity


@dataclass(frozen=True)
class Selection:
    """The findings that a command reports: those with `codes`, or all if it is None, except those
    that are `ignored`."""

    codes: frozenset[Code] | None
    ignored: frozenset[Code]
    strict: bool

    def of(self, report: Report) -> Report:
        """The report with the selected findings, and with all errors in the rules themselves."""
        fatal = [finding for finding in report.findings if _is_fatal(finding, report)]
        return replace(report, findings=self.among(report.findings, fatal))

    def among(
        self, findings: Iterable[Finding], always: Container[Finding] = ()
    ) -> tuple[Finding, ...]:
        """The selected ones of some findings."""
        reported = (f for f in findings if self._has(f.code) or f in always)
        if self.strict:
            reported = (replace(f, severity_override=Severity.ERROR) for f in reported)
        return tuple(reported)

    def _has(self, code: Code) -> bool:
        return (self.codes is None or code in self.codes) and code not in self.ignored


def _is_fatal(finding: Finding, report: Report) -> bool:
    return finding.severity is Severity.ERROR and finding in report.rules.findings


def selection(arguments: argparse.Namespace, rules: str | None = None) -> Selection:
    """The selection of the flags or, without them, of the rules file's project.

    Raises Failure for an unknown code.
    """
    project = settings_for(rules)
    selected = None
    if arguments.select:
        selected = _codes("--select", arguments.select)
    elif project.select is not None:
        selected = _codes("`select` in pyproject.toml", project.select)
    ignored = (
        _codes("--ignore", arguments.ignore)
        if arguments.ignore
        else _codes("`ignore` in pyproject.toml", project.ignore)
    )
    strict = project.strict if arguments.strict is None else arguments.strict
    return Selection(selected, ignored, strict)


def _codes(flag: str, words: Iterable[str]) -> frozenset[Code]:
    """The codes of a flag: `GR101`, a prefix such as `GR1`, or `unmatched-parameter`."""
    names = [name.strip() for word in words for name in word.split(",")]
    return frozenset(code for name in names for code in _matching(flag, name))


def _matching(flag: str, name: str) -> list[Code]:
    from grouper.checks.catalog import ALL
    from grouper.text.similar import near

    prefix = name.upper() if name.upper().startswith("GR") else None
    codes = [c for c in ALL if c.name == name.lower() or (prefix and c.id.startswith(prefix))]
    if not codes:
        similar = near(name.upper(), [c.id for c in ALL]) or near(name, [c.name for c in ALL])
        hint = f"; did you mean `{similar[0]}`?" if similar else "; `grouper rule` lists them"
        raise Failure(f"{flag}: there is no finding `{name}`{hint}")
    return codes
