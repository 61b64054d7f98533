"""The monitor's file format: a header, then one record for each measured step, as JSON Lines.

A run that is resumed (or starts again) in the same file writes another header with the step that it
continues from; it supersedes the records from that step on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

VERSION = 1


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """The constants of a group: `parameters` is the number of its tensors, `values` the number of
    their values, `rule` the place of the rule that set its lr (`my.rules:3:7`)."""

    parameters: int
    values: int
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The groups of a run in the optimizer's order, from step `start` on, every `every` steps."""

    groups: Mapping[str, GroupFacts]
    start: int = 0
    every: int = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """One group at one step. Norms are L2 over all of the group's values.

    `weight_norm` is taken before the step; `update_ratio` is the norm of the weights' change over
    it. `zero_gradients` and `nonfinite_gradients` are shares (0 to 1) of the values that have a
    gradient. None where the group has no gradient, no momentum or no lr, or weights of norm 0.
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
    """All groups at one optimizer step, counted from 0.

    `untouched` are the names of the parameters that have not had a gradient so far. `skipped` says
    that the optimizer did not change the weights, because a GradScaler found infinite gradients.
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
    """One line of a monitor file; `nan` and `inf`, which JSON lacks, are written as strings."""
    groups = {
        name: {key: json_number(value) for key, value in asdict(measured).items()}
        for name, measured in record.groups.items()
    }
    untouched = list(record.untouched)
    content = {"step": record.step, "groups": groups, "untouched": untouched}
    return _line({**content, "skipped": True} if record.skipped else content)


def _line(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def json_number(value: float | None) -> float | str | None:
    """A number as JSON can have it: infinities and NaN as words."""
    return value if value is None or math.isfinite(value) else str(value)
