"""Judges a run by its records: groups that explode, that are dead, or that move slowly."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from statistics import median

from grouper.monitor.record import Measurement, Record
from grouper.monitor.run import Run
from grouper.text.findings import Severity
from grouper.text.fold import folded_list
from grouper.text.printable import count_phrase

WINDOW = 3  # consecutive records that show a group dead or slow, or its norms growing
GROWTH = 100.0  # a norm over the median of its earlier values
SLOWNESS = 100.0  # the others' median update-to-weight ratio over the group's
MOST_PATTERNS = 4  # of untouched parameters in a message
KINDS = ("explodes", "dead", "slow", "untouched")  # worst first

Rows = list[tuple[int, Measurement]]  # a group's steps and measurements


@dataclass(frozen=True, slots=True)
class Verdict:
    """One problem of a group (`None`: of parameters in any group); `message` is a sentence."""

    group: str | None
    kind: str
    severity: Severity
    step: int
    message: str
    rule: str | None = None


def verdicts(run: Run) -> tuple[Verdict, ...]:
    """The problems of the run at its last record, worst first; at most one for each group.

    Steps that a GradScaler skipped are left out, unless the last WINDOW records are all skipped.
    """
    if not run.records:
        return ()
    stepped = [record for record in run.records if not record.skipped]
    if all(record.skipped for record in run.records[-WINDOW:]):
        stepped = list(run.records)
    problems = []
    all_ratios = sorted(_ratios(m for r in stepped[-WINDOW:] for m in r.groups.values()))
    for name in run.records[-1].groups:
        rows = [(r.step, r.groups[name]) for r in stepped if name in r.groups]
        rest = _median_without(
            all_ratios, (r.groups[name] for r in stepped[-WINDOW:] if name in r.groups)
        )
        verdict = rows and (_exploding(name, rows) or _dead(name, rows) or _slow(name, rows, rest))
        if verdict:
            problems.append(_with_rule(verdict, run, rows[-1][1]))
    problems += _untouched(run.records[-1])
    return tuple(sorted(problems, key=lambda verdict: KINDS.index(verdict.kind)))


def _exploding(name: str, rows: Rows) -> Verdict | None:
    step, last = rows[-1]
    text = ""
    if last.nonfinite_gradients:
        since = _since(rows, lambda m: bool(m.nonfinite_gradients))
        share = last.nonfinite_gradients
        part = f"{share:.0%}" if share >= 0.01 else "some"
        text = f"{part} of its gradients are not finite, since step {since}"
    elif not _finite(last.weight_norm, last.update_ratio):
        since = _since(rows, lambda m: not _finite(m.weight_norm, m.update_ratio))
        text = f"its weights are not finite, since step {since}"
    elif not _finite(last.gradient_norm):
        text = f"its gradient norm overflows at step {step}"
    else:
        text = _growth("gradient", [(s, m.gradient_norm) for s, m in rows]) or _growth(
            "weight", [(s, m.weight_norm) for s, m in rows]
        )
    if not text:
        return None
    return Verdict(name, "explodes", Severity.ERROR, step, f"group `{name}` explodes: {text}")


def _growth(whose: str, norms: Sequence[tuple[int, float | None]]) -> str:
    known = [(step, norm) for step, norm in norms if norm is not None and math.isfinite(norm)]
    earlier, recent = [norm for _, norm in known[:-WINDOW] if norm], known[-WINDOW:]
    if len(earlier) < WINDOW or len(recent) < WINDOW:
        return ""
    usual, least = median(earlier), min(norm for _, norm in recent)
    if least <= GROWTH * usual:
        return ""
    step, norm = recent[-1]
    return (
        f"its {whose} norm is {norm:.3g} at step {step}, {norm / usual:.0f} times its median"
        f" of {usual:.3g} before step {recent[0][0]}"
    )


def _dead(name: str, rows: Rows) -> Verdict | None:
    if len(rows) < WINDOW:
        return None
    window = [measured for _, measured in rows[-WINDOW:]]
    step, last = rows[-1]
    if not any(measured.gradient_norm for measured in window):
        since = _since(rows, lambda m: not m.gradient_norm)
        what = "no gradient" if last.gradient_norm is None else "only zero gradients"
        text = f"{what} reached it from step {since} to step {step}"
    elif not any(m.update_ratio for m in window) and all(m.lr != 0 for m in window):
        since = _since(rows, lambda m: not m.update_ratio)
        text = (
            f"gradients reach it, but its weights did not change from step {since} to step {step}"
        )
    else:
        return None
    return Verdict(name, "dead", Severity.ERROR, step, f"group `{name}` is dead: {text}")


def _slow(name: str, rows: Rows, usual: float) -> Verdict | None:
    """`usual` is the median ratio of the other groups, 0 where there are none."""
    window = [measured for _, measured in rows[-WINDOW:]]
    own = _ratios(window)
    if len(own) < WINDOW or any(m.lr == 0 for m in window) or _warms_up(window):
        return None
    fastest = max(own)
    if fastest * SLOWNESS >= usual:
        return None
    text = (
        f"group `{name}` moves {usual / fastest:.0f} times slower than the rest: its"
        f" update-to-weight ratio is {fastest:.1e}, theirs {usual:.1e}"
    )
    return Verdict(name, "slow", Severity.WARNING, rows[-1][0], text)


def _warms_up(window: Sequence[Measurement]) -> bool:
    """Whether the lr rises from record to record: the group is slow because of its warm-up then."""
    rates = [m.lr for m in window if m.lr is not None]
    return len(rates) > 1 and all(a < b for a, b in pairwise(rates))


def _untouched(record: Record) -> list[Verdict]:
    names = record.untouched
    if not names:
        return []
    text = f"{count_phrase(names)} never had a gradient: {folded_list(names, MOST_PATTERNS)}"
    return [Verdict(None, "untouched", Severity.WARNING, record.step, text)]


def _with_rule(verdict: Verdict, run: Run, last: Measurement) -> Verdict:
    facts = run.groups.get(verdict.group or "")
    if facts is None or facts.rule is None:
        return verdict
    lr = "" if last.lr is None else f" of {last.lr:.3g}"
    message = f"{verdict.message}; its lr{lr} comes from {facts.rule}"
    return replace(verdict, message=message, rule=facts.rule)


def _since(rows: Rows, wrong: Callable[[Measurement], bool]) -> int:
    """The first step of the unbroken sequence of wrong rows at the end."""
    return list(takewhile(lambda row: wrong(row[1]), reversed(rows)))[-1][0]


def _median_without(ratios: Sequence[float], own: Iterable[Measurement]) -> float:
    """The median of sorted ratios without those of one group; 0 where none are left."""
    removed: list[int] = []
    for ratio in sorted(_ratios(own)):
        index = bisect_left(ratios, ratio)
        removed.append(max(index, removed[-1] + 1) if removed else index)
    left = len(ratios) - len(removed)
    if not left:
        return 0.0
    middle = [(left - 1) // 2, left // 2]
    for gap in removed:
        middle = [index + (gap <= index) for index in middle]
    return (ratios[middle[0]] + ratios[middle[1]]) / 2


def _ratios(measured: Iterable[Measurement]) -> list[float]:
    ratios = (m.update_ratio for m in measured)
    return [ratio for ratio in ratios if ratio and math.isfinite(ratio)]


def _finite(*numbers: float | None) -> bool:
    return all(number is None or math.isfinite(number) for number in numbers)
