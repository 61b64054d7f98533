"""The difference between two reports as text and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from grouper.group.diff import Change, Diff, Treatment
from grouper.options.values import Configured, Value, value_text
from grouper.reports.json import VERSION, dumps
from grouper.reports.lines import Line, styled
from grouper.reports.output import Output
from grouper.text.fold import folded_list
from grouper.text.printable import count_phrase, visible

MOST_PATTERNS = 8
MOST_RENAMED = 8


def render_text(diff: Diff, output: Output) -> str:
    return output.text(all_lines(diff, output.quiet))


def render_json(diff: Diff, _output: Output) -> str:
    return dumps(diff_value(diff))


def all_lines(diff: Diff, quiet: bool = False) -> list[Line]:
    """The changes, with equal ones merged, and a closing line."""
    return diff_lines(diff) if quiet and diff.same else [*diff_lines(diff), closing_line(diff)]


def diff_lines(diff: Diff) -> list[Line]:
    """The lines without the closing line."""
    lines = [styled((f"{visible(diff.paths[0])} -> {visible(diff.paths[1])}", "bold")), Line()]
    for statement in diff.statements:
        lines += [styled((f"- {visible(statement.before)}", "red"))] if statement.before else []
        lines += [styled((f"+ {visible(statement.after)}", "green"))] if statement.after else []
    lines += [Line()] if diff.statements else []
    for block in _blocks((*diff.changes, *diff.appeared, *diff.disappeared)):
        lines += [*_block_lines(block), Line()]
    if diff.renamed:
        lines += [*_renamed_lines(diff), Line()]
    return lines if len(lines) > 2 else lines[:0]


def closing_line(diff: Diff) -> Line:
    """Whether anything changes, and how many tensors are unchanged."""
    if diff.same:
        return styled(("no change: ", "bold green"), f"{diff.unchanged:,} tensors")
    counts = {
        "changed": diff.changed,
        "appeared": sum(len(change.parameters) for change in diff.appeared),
        "disappeared": sum(len(change.parameters) for change in diff.disappeared),
    }
    parts = [f"{count:,} tensors {word}" for word, count in counts.items() if count]
    parts += [count_phrase(diff.statements, "statement") + " changed"] if diff.statements else []
    return styled(
        ("different: ", "bold yellow"), f"{', '.join(parts)}; {diff.unchanged:,} tensors unchanged"
    )


def _blocks(changes: Iterable[Change]) -> list[list[Change]]:
    """The changes, merged for groups that keep their names and whose options change equally."""
    blocks: dict[object, list[Change]] = {}
    for change in changes:
        before, after = change.before, change.after
        stays = before is not None and after is not None and before.name == after.name
        key = tuple((k, _values(change, k)) for k in change.options) if stays else id(change)
        blocks.setdefault(key, []).append(change)
    return list(blocks.values())


def _values(change: Change, key: str) -> tuple[str, str]:
    before, after = change.options[key]
    return _value_text(change.before, key, before), _value_text(change.after, key, after)


def _block_lines(changes: Sequence[Change]) -> list[Line]:
    first, names = changes[0], [name for change in changes for name in change.parameters]
    before, after = first.before, first.after
    count = count_phrase(names, "tensor")
    if before is None or after is None:
        word, where = ("appeared", after) if before is None else ("disappeared", before)
        head = f"{count} {word}: {where.name if where else ''}"
    elif before.name == after.name:
        head = f"{count} in {', '.join(c.after.name for c in changes if c.after)}"
    else:
        head = f"{count}: {before.name} -> {after.name}"
    options = [(key, *_values(first, key)) for key in first.options]
    patterns = folded_list(names, MOST_PATTERNS, quote="")
    return [
        styled((visible(head), "bold")),
        *(styled(visible(f"  {key}: {old} -> {new}")) for key, old, new in options),
        styled((f"  {visible(patterns)}", "dim")),
    ]


def _value_text(treatment: Treatment | None, key: str, value: Value) -> str:
    is_set = treatment is not None and key in treatment.options
    return value_text(value) if is_set else "not set"


def _renamed_lines(diff: Diff) -> list[Line]:
    more = len(diff.renamed) - MOST_RENAMED
    pairs = [f"  {visible(old)} -> {visible(new)}" for old, new in diff.renamed[:MOST_RENAMED]]
    pairs += [f"  and {more:,} more"] if more > 0 else []
    count = count_phrase(diff.renamed, "tensor")
    head = styled((f"{count} renamed", "bold"), ": guessed from shape, last name and order")
    return [head, *map(styled, pairs)]


def diff_value(diff: Diff) -> dict[str, Any]:
    """The values of the JSON object."""
    return {
        "version": VERSION,
        "before": diff.paths[0],
        "after": diff.paths[1],
        "changes": [_value(change) for change in diff.changes],
        "appeared": [_value(change) for change in diff.appeared],
        "disappeared": [_value(change) for change in diff.disappeared],
        "renamed": [{"before": old, "after": new} for old, new in diff.renamed],
        "statements": [vars(change) for change in diff.statements],
        "unchanged": diff.unchanged,
        "same": diff.same,
    }


def _value(change: Change) -> dict[str, Any]:
    return {
        "before": _treatment(change.before),
        "after": _treatment(change.after),
        "parameters": list(change.parameters),
    }


def _treatment(treatment: Treatment | None) -> dict[str, Any] | None:
    if treatment is None:
        return None
    options = {k: str(v) if isinstance(v, Configured) else v for k, v in treatment.options.items()}
    return {"group": treatment.group, "frozen": treatment.frozen, "options": options}
