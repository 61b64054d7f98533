"""Verifies fixes: an edit is offered only if the edited file is better and nothing gets worse.

A candidate is accepted if the edited text parses, its finding is gone and no new finding appears; a
new finding may be fixed by its own candidates. If accepted candidates give different groups, the
intended one is unknown: all are offered in words, and none as an edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from grouper.checks.report import Report
from grouper.language.resolve.resolve import resolve
from grouper.language.ruleset import RuleSet
from grouper.options.values import value_key
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import Edit, Finding, Fix, Severity
from grouper.text.source import Source, Span

MAX_TRIALS = 40  # edited files per report
MAX_NAMES = 100_000  # that are matched in them; one file is always tried
MAX_FOLLOWED = 3  # successive new findings that are fixed in turn

Key = tuple[str, str | None]


def verify(report: Report, analyse: Callable[[RuleSet], Report]) -> Report:
    """The report with the candidates of its findings verified; `analyse` checks other rules in the
    same way, without verifying candidates."""
    if not any(finding.candidates for finding in report.findings):
        return report
    trials = _Trials(report, analyse, report.inventory.passes(MAX_NAMES, MAX_TRIALS))
    findings = tuple(trials.verified(f) if f.candidates else f for f in report.findings)
    return replace(report, findings=findings)


def apply(text: str, fix: Fix) -> str:
    """The text with the edits applied; they must not overlap."""
    for edit in sorted(fix, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


@dataclass
class _Trials:
    report: Report
    analyse: Callable[[RuleSet], Report]
    left: int

    def verified(self, finding: Finding) -> Finding:
        """The finding with its verified edits only."""
        source = finding.labels[0].span.source if finding.labels else None
        if source is None or source.path != self.report.rules.path:
            return replace(finding, candidates=())
        text_by_groups: dict[object, str] = {}
        for fix in finding.candidates:
            for text, groups in self._tried(apply(source.text, fix), _key(finding), MAX_FOLLOWED):
                text_by_groups.setdefault(groups, text)
        edits = [edits_between(source, text) for text in text_by_groups.values()]
        help = finding.help
        if len(edits) > 1:
            help = f"{help}; did you mean " + " or ".join(
                f"`{_changed_lines(source.text, text)}`" for text in text_by_groups.values()
            )
        only = edits[0] if len(edits) == 1 else finding.edits
        return replace(finding, edits=only, help=help, candidates=())

    def _tried(self, text: str, key: Key, depth: int) -> Iterator[tuple[str, object]]:
        """The text, or texts with further fixes, and their groups, if better than the file."""
        if self.left <= 0:
            return
        self.left -= 1
        rules = resolve(Source(text, self.report.rules.path), self.report.rules.variables)
        if any(finding.severity is Severity.ERROR for finding in rules.findings):
            return
        before, after = _counted(self.report), self.analyse(rules)
        if _without_matches(after) > _without_matches(self.report):
            return
        now = _counted(after)
        if now[key] >= before[key]:
            return
        come = [f for f in after.findings if _matters(f) and _key(f) not in before]
        if not come:
            if now.total() < before.total():
                yield text, _groups(after)
        elif depth:
            for fix in come[0].candidates:
                yield from self._tried(apply(text, fix), key, depth - 1)


def edits_between(source: Source, text: str) -> Fix:
    """The edits that turn a source into a text, each of one or a few lines."""
    from difflib import SequenceMatcher

    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    edits = []
    for tag, first, last, start, end in SequenceMatcher(None, old, new, False).get_opcodes():
        if tag != "equal":
            whole = Span(source, starts[first], starts[last])
            edits.append(_narrowed(whole, "".join(new[start:end])))
    return tuple(edits)


def _narrowed(span: Span, replacement: str) -> Edit:
    """The same edit without the common prefix and suffix of both texts."""
    old, head = span.text, 0
    while head < min(len(old), len(replacement)) and old[head] == replacement[head]:
        head += 1
    tail = 0
    most = min(len(old), len(replacement)) - head
    while tail < most and old[-1 - tail] == replacement[-1 - tail]:
        tail += 1
    narrow = Span(span.source, span.start + head, span.end - tail)
    return Edit(narrow, replacement[head : len(replacement) - tail])


def _changed_lines(old: str, new: str) -> str:
    before = set(old.splitlines())
    return "; ".join(line.strip() for line in new.splitlines() if line not in before) or "nothing"


def _matters(finding: Finding) -> bool:
    return finding.severity is not Severity.NOTE


def _key(finding: Finding) -> Key:
    """Identifies a finding independent of its place, by its code and its first parameter."""
    return finding.code.id, finding.parameters[0] if finding.parameters else None


def _counted(report: Report) -> Counter[Key]:
    return Counter(_key(finding) for finding in report.findings if _matters(finding))


def _without_matches(report: Report) -> int:
    """The number of rules without matches, including optional ones."""
    if report.assignment is None:
        return 0
    matching = {id(m.rule) for a in report.assignment.treated_alike for m in a[0].matches}
    bare = (rule for rule in report.rules.rules if rule.selector is not None)
    return sum(id(rule) not in matching for rule in bare)


def _groups(report: Report) -> object:
    """The optimizer and options of each parameter, as a comparable value."""
    if report.grouping is None:
        return None
    return frozenset(
        (
            parameter.name,
            group.optimizer,
            *sorted((k, str(value_key(v))) for k, v in options.items()),
        )
        for group in report.grouping.groups
        for options in [{**group.options, **group.plan}]
        for parameter in group.parameters
    )
