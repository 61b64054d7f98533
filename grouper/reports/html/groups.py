"""Groups as an HTML table with a column for each option."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grouper.checks.report import Report
from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment
from grouper.reports.families import Entry, Row
from grouper.reports.frozen import facts_of, frozen_by
from grouper.reports.group_table import LR, GroupTable, Shared, entries_of, group_table
from grouper.reports.html.elements import Element, code, element, folded, joined, table

MOST_NAMES = 200  # in a fold
MOST_ROWS = 100
FACTOR = "×"  # the column beside the lr


def report_groups_html(report: Report) -> Element:
    """The table of groups, and what is frozen and by what."""
    assert report.grouping is not None
    entries = entries_of(report.grouping, report.assignment)
    return joined(
        [
            groups_html(entries, report.rules),
            *_rest_html(report.grouping),
            *_frozen_html(report.grouping, report.assignment),
        ]
    )


def grouping_html(grouping: Grouping) -> Element:
    """The same HTML for groups whose rules are not known."""
    parts = [*_rest_html(grouping), *_frozen_html(grouping, None)]
    return joined([groups_html(entries_of(grouping)), *parts])


def groups_html(entries: Sequence[Entry], rules: RuleSet | None = None) -> Element:
    """The options that the groups share, a table of the others, and the names of their tensors in a
    fold."""
    if not entries:
        return element("p", "no groups")
    content = group_table(entries, rules)
    parts = [_shared_html(shared) for shared in content.shared]
    parts += [element("div", code("; ".join(content.plan)))] if content.plan else []
    parts.append(_table(content))
    if len(content.rows) > MOST_ROWS:
        parts.append(element("p", f"and {len(content.rows) - MOST_ROWS:,} more rows"))
    names = [joined([code(e.name), names_html(e.tensors)]) for e in entries[:MOST_ROWS]]
    return joined([*parts, folded("names of the tensors", *names)])


def _shared_html(shared: Shared) -> Element:
    words = " ".join(f"{key}={value}" for key, value in shared.options)
    return element("div", code(f"{shared.optimizer} {words}".strip()))


def _table(content: GroupTable) -> Element:
    rows = content.rows[:MOST_ROWS]
    families = any(row.groups > 1 for row in content.rows)
    head = ["group", *(["groups"] if families else []), "tensors", "parameters"]
    counts = [
        [*([f"{row.groups:,}"] if families else []), f"{row.tensors:,}", f"{row.parameters:,}"]
        for row in rows
    ]
    keys = [key for key in content.keys if key != LR or not any(r.factor for r in rows)]
    of_lr = [] if LR in keys or LR not in content.keys else [LR, FACTOR]
    values = [[_value(row, key) for key in (*of_lr, *keys)] for row in rows]
    cells = [[code(r.name), *c, *v] for r, c, v in zip(rows, counts, values, strict=True)]
    titles = [code(key) if key != FACTOR else "" for key in (*of_lr, *keys)]
    right = frozenset(n for n, title in enumerate([*head, *titles]) if n and title)
    return table([*head, *titles], cells, right)


def _value(row: Row, key: str) -> str:
    if key == FACTOR:
        return code(f"×{row.factor}") if row.factor else ""
    return code(row.cells[key]) if key in row.cells else ""


def _rest_html(grouping: Grouping) -> list[Element]:
    if not grouping.unmatched:
        return []
    return [element("p", f"in no group: {facts_of(grouping.unmatched)}")]


def _frozen_html(grouping: Grouping, assignment: Assignment | None) -> Iterator[Element]:
    for freezer, parameters in frozen_by(grouping, assignment).items():
        head = joined(["frozen by ", code(freezer)] if freezer else ["frozen"])
        names = names_html(p.name for p in parameters)
        yield folded(joined([head, f": {facts_of(parameters)}"]), names)


def names_html(names: Iterable[str]) -> Element:
    """Names, one per line."""
    all_names = list(names)
    more = len(all_names) - MOST_NAMES
    items = [element("li", code(name)) for name in all_names[:MOST_NAMES]]
    if more > 0:
        items.append(element("li", f"and {more:,} more"))
    return element("ul", *items)
