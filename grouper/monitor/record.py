"""What the monitor writes: one header, then one record for each measured step, as JSON Lines.

A run that goes on (or starts again) in the same file writes another header, with the step that it
goes on from: from there on, it counts, and what stood there before does not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

VERSION = 1


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What stays the same about a group: its size, and the place of the rule that set its lr."""

    parameters: int
    values: int
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The groups of a run (in the optimizer's order) from step `start` on."""

    groups: Mapping[str, GroupFacts]
    start: int = 0
    every: int = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """One group at one step. Norms are L2 over all of the group's values.

    `weight_norm` is that before the step, `update_ratio` the norm of what the step changed over
    it; `zero_gradients` and `nonfinite_gradients` are shares (0 to 1) of the values that have a
    gradient. None: the group has no gradient, no momentum, no lr of its own, or weights of 0.
    """

    lr: float | None
    momentum: float | None
    gradient_norm: float | None
    weight_norm: float
    update_ratio: float | None
    zero_gradients: float | None
    nonfinite_gradients: float | None


@dataclass(frozen=True, slots=True)
class Record:
    """All groups at one optimizer step (counted from 0); `untouched` never had a gradient.

    `skipped`: the optimizer left the weights as they were, because a gradient scaler asked it to.
    """

    step: int
    groups: Mapping[str, Measurement]
    untouched: tuple[str, ...] = ()
    skipped: bool = False


def header_line(header: Header) -> str:
    """The first line of a run, without its newline."""
    facts = {name: asdict(group) for name, group in header.groups.items()}
    return _line(
        {"version": VERSION, "start": header.start, "every": header.every, "groups": facts}
    )


def record_line(record: Record) -> str:
    """One line of a monitor file; numbers that JSON does not know (`nan`, `inf`) become words."""
    groups = {
        name: {key: _written(value) for key, value in asdict(measured).items()}
        for name, measured in record.groups.items()
    }
    untouched = list(record.untouched)
    whole = {"step": record.step, "groups": groups, "untouched": untouched}
    return _line({**whole, "skipped": True} if record.skipped else whole)


def _line(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _written(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)
