"""What a run's records say in words: groups that are dead, explode, or hardly move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from grouper.monitor.record import Measurement, Record, Run

WINDOW = 3  # records in a row before a group is called dead or slow
EXPLOSION = 100.0  # gradient norm over its own median so far
SLOWNESS = 100.0  # the others' median update-to-weight ratio over the group's


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that is wrong with one group, since which step, in a sentence."""

    group: str
    kind: str
    step: int
    message: str


def verdicts(run: Run) -> tuple[Verdict, ...]:
    """What is wrong with the run at its last record, worst first; each group at most once."""
    if not run.records:
        return ()
    found = []
    for name in run.records[-1].groups:
        verdict = (
            _exploding(name, run.records)
            or _dead(name, run.records[-WINDOW:])
            or _slow(name, run.records[-WINDOW:])
        )
        if verdict is not None:
            found.append(_with_rule(verdict, run))
    rank = ("explodes", "dead", "slow")
    return tuple(sorted(found, key=lambda verdict: rank.index(verdict.kind)))


def _exploding(name: str, records: Sequence[Record]) -> Verdict | None:
    last, step = records[-1].groups[name], records[-1].step
    if last.nonfinite_gradients:
        share = f"{last.nonfinite_gradients:.0%}" if last.nonfinite_gradients >= 0.01 else "some"
        text = f"group `{name}` explodes: {share} of its gradients are not finite at step {step}"
        return Verdict(name, "explodes", step, text)
    if not math.isfinite(last.weight_norm):
        text = f"group `{name}` explodes: its weights are not finite at step {step}"
        return Verdict(name, "explodes", step, text)
    norms = [n for r in records[:-1] if (n := _gradient(r, name)) is not None]
    usual = median(norms) if len(norms) >= WINDOW else 0.0
    now = last.gradient_norm
    if now is not None and usual and now > EXPLOSION * usual:
        text = (
            f"group `{name}` explodes: its gradient norm is {now:.3g} at step {step},"
            f" {now / usual:.0f} times its median of {usual:.3g}"
        )
        return Verdict(name, "explodes", step, text)
    return None


def _dead(name: str, records: Sequence[Record]) -> Verdict | None:
    window = [record.groups[name] for record in records if name in record.groups]
    if len(window) < WINDOW or any(m.gradient_norm for m in window):
        return None
    first, last = records[0].step, records[-1].step
    gradients = "no gradient" if window[-1].gradient_norm is None else "only zero gradients"
    text = f"group `{name}` is dead: {gradients} reached it from step {first} to step {last}"
    return Verdict(name, "dead", last, text)


def _slow(name: str, records: Sequence[Record]) -> Verdict | None:
    own = _ratios(name, records)
    others = [
        ratio
        for other in records[-1].groups
        if other != name
        for ratio in _ratios(other, records)
        if ratio
    ]
    if len(own) < WINDOW or not others or any(m.lr == 0 for m in _window(name, records)):
        return None
    usual, fastest = median(others), max(own)
    if fastest * SLOWNESS >= usual:
        return None
    step = records[-1].step
    times = f"{usual / fastest:.0f} times slower than the rest" if fastest else "not at all"
    text = (
        f"group `{name}` moves {times}: its update-to-weight ratio is {fastest:.1e},"
        f" theirs {usual:.1e}"
    )
    return Verdict(name, "slow", step, text)


def _with_rule(verdict: Verdict, run: Run) -> Verdict:
    facts = run.groups.get(verdict.group)
    if facts is None or facts.rule is None:
        return verdict
    message = f"{verdict.message}; its lr is set at {facts.rule}"
    return Verdict(verdict.group, verdict.kind, verdict.step, message)


def _window(name: str, records: Sequence[Record]) -> list[Measurement]:
    return [record.groups[name] for record in records if name in record.groups]


def _ratios(name: str, records: Sequence[Record]) -> list[float]:
    ratios = (m.update_ratio for m in _window(name, records))
    return [ratio for ratio in ratios if ratio is not None and math.isfinite(ratio)]


def _gradient(record: Record, name: str) -> float | None:
    measured = record.groups.get(name)
    norm = measured.gradient_norm if measured else None
    return norm if norm is not None and math.isfinite(norm) else None
