"""The plan as a table, with lines for each track and a column for each key step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grouper.reports.output import drawing_columns
from grouper.reports.plan.key_steps import KeyStep, key_steps
from grouper.reports.plan.tracks import Track, described, momentum_of
from grouper.text.printable import visible, width
from grouper.train.plan import Plan

COLORS = ("cyan", "magenta", "yellow", "green", "blue", "red")
NAMES = 30  # columns for the groups' names, at most
GAP = 2  # between two columns of the table
MOST_STEPS = 12
Column = tuple[list[str], list[str]]  # why the step is shown; step, epoch and values as text


def print_table(plan: Plan, tracks: Sequence[Track], out: Console) -> None:
    """Print the run in words, and lr and momentum at the key steps, in several tables if the
    terminal is too narrow for one."""
    for line in in_words(plan, tracks):
        out.print(Text(f"  {line}"), soft_wrap=True)
    lines = _lines(tracks)
    names = max(width(visible(name)) for _, names, _, _ in lines for name in names.split("\n"))
    wide = drawing_columns(out)
    names = min(NAMES, wide // 3, max(names, len("momentum")))
    marks = max(len(mark) for mark, _, _, _ in lines)
    room = wide - 2 - marks - GAP - names
    for columns in _banks(plan, lines, room):
        table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
        table.add_column("", width=marks)
        table.add_column("", width=names, overflow="fold")
        highest = max(len(words) for words, _ in columns)
        for words, _ in columns:
            head = "\n".join([*[""] * (highest - len(words)), *words])
            table.add_column(Text(head), justify="right", no_wrap=True)
        rows = zip(*(cells for _, cells in columns), strict=True)
        table.add_row("", "step", *next(rows), style="dim")
        epochs = next(rows)
        if not plan.in_steps:
            table.add_row("", "epoch", *epochs, style="dim")
        for (mark, name, style, _), cells in zip(lines, rows, strict=True):
            table.add_row(Text(mark, style), Text(name, "green" if mark else "dim"), *cells)
        out.print()
        out.print(Padding(table, (0, 0, 0, 2), expand=False))


def color(index: int) -> str:
    return COLORS[index % len(COLORS)]


def number(value: float) -> str:
    """A number with four significant digits."""
    return f"{value:.4g}"


def in_words(plan: Plan, tracks: Sequence[Track]) -> Iterator[str]:
    epochs, steps = plan.epochs, plan.steps_per_epoch
    in_epoch = f"{steps:,} step{'s' * (steps != 1)}"
    run = f"{epochs:,} epoch{'s' * (epochs != 1)} of {in_epoch}"
    whole = run if epochs == 1 else f"{run}, {plan.steps:,} in all"
    yield in_epoch if plan.in_steps else whole
    marks_of: dict[str, list[str]] = {}
    for track in tracks:
        marks_of.setdefault(described(track.schedule, plan), []).append(track.mark)
    for words, marks in marks_of.items():
        yield visible(words if len(marks_of) == 1 else f"{' '.join(marks)}: {words}")


Line = tuple[str, str, str, tuple[str, str]]  # mark, names, style; the group and key of its values


def _lines(tracks: Sequence[Track]) -> list[Line]:
    """A line for each track's lr, and one for each different course of momentum."""
    lines: list[Line] = []
    by_momentum: dict[object, list[Track]] = {}
    for index, track in enumerate(tracks):
        names = "\n".join(map(visible, track.groups))
        lines.append((track.mark, names, color(index), (track.groups[0], "lr")))
        if track.schedule.momentum is not None:
            by_momentum.setdefault(momentum_of(track.schedule), []).append(track)
    for members in by_momentum.values():
        marks = " ".join(track.mark for track in members)
        words = "momentum" if len(members) == len(tracks) else f"momentum of {marks}"
        lines.append(("", words, "", (members[0].groups[0], "momentum")))
    return lines


def _banks(plan: Plan, lines: Sequence[Line], room: int) -> list[list[Column]]:
    """The columns, split into tables that fit the room. Optional steps are omitted if they would
    need another table."""
    for most in range(MOST_STEPS, -1, -1):
        columns = key_steps(plan, most)
        banks = _side_by_side(_columns(plan, lines, columns), room)
        if len(banks) == 1 or len(columns) > most:
            break
    return banks


def _columns(plan: Plan, lines: Sequence[Line], key_steps: Sequence[KeyStep]) -> list[Column]:
    steps = [key_step.step for key_step in key_steps]
    values = plan.over(steps)
    cells = [
        [f"{step:,}" for step in steps],
        [f"{step // plan.steps_per_epoch:,}" for step in steps],
        *([number(v) for v in values[group][key]] for *_, (group, key) in lines),
    ]
    words = [" ".join(key_step.words).split(" ") for key_step in key_steps]
    return list(zip(words, map(list, zip(*cells, strict=True)), strict=True))


def _side_by_side(columns: Sequence[Column], room: int) -> list[list[Column]]:
    banks: list[list[Column]] = [[]]
    left = room
    for words, cells in columns:
        column_width = GAP + max(map(len, [*words, *cells]))
        if column_width > left and banks[-1]:
            banks.append([])
            left = room
        banks[-1].append((words, cells))
        left -= column_width
    return banks
