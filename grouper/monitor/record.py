"""What the monitor writes and reads: one header, then one record per measured step.

A file is JSON Lines. Its last line may be cut short by a crash; every whole line is still read.
A run that was resumed writes a second header; the latest one counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

VERSION = 1


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What stays the same about a group: its size, and the place of the rule that set its lr."""

    parameters: int
    values: int
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One group at one step. Norms are L2 over all of the group's values.

    `update_ratio` is the norm of the step's change over the norm of the weights before it;
    `zero_gradients` and `nonfinite_gradients` are shares (0 to 1) of the values that have a
    gradient. None: the group has no gradient, or no momentum.
    """

    lr: float
    momentum: float | None
    gradient_norm: float | None
    weight_norm: float
    update_ratio: float | None
    zero_gradients: float | None
    nonfinite_gradients: float | None


@dataclass(frozen=True, slots=True)
class Record:
    """All groups at one optimizer step (counted from 0); `untouched` never had a gradient."""

    step: int
    groups: Mapping[str, Measurement]
    untouched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What a monitor file holds; `broken` counts lines that could not be read."""

    groups: Mapping[str, GroupFacts]
    records: tuple[Record, ...]
    broken: int = 0


def header_line(groups: Mapping[str, GroupFacts]) -> str:
    """The first line of a monitor file, without its newline."""
    facts = {name: asdict(group) for name, group in groups.items()}
    return json.dumps({"version": VERSION, "groups": facts}, separators=(",", ":"))


def record_line(record: Record) -> str:
    """One line of a monitor file; numbers that JSON does not know (`nan`, `inf`) become words."""
    groups = {
        name: {key: _number_out(value) for key, value in asdict(measured).items()}
        for name, measured in record.groups.items()
    }
    whole = {"step": record.step, "groups": groups, "untouched": list(record.untouched)}
    return json.dumps(whole, separators=(",", ":"), allow_nan=False)


def read_run(path: str | Path) -> Run:
    """Read a monitor file, however it ended. Raises OSError, never for what the file holds."""
    with open(path, "rb") as file:
        return parse_run(file.read())


def parse_run(content: bytes) -> Run:
    """A run from the bytes of its file; steps that a resumed run repeated count once, the last."""
    groups: dict[str, GroupFacts] = {}
    records: dict[int, Record] = {}
    broken = 0
    for line in _whole_lines(content):
        try:
            value = json.loads(line)
            if "version" in value:
                groups = {name: GroupFacts(**facts) for name, facts in value["groups"].items()}
            else:
                record = _record(value)
                records[record.step] = record
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            broken += 1
    return Run(groups, tuple(records[step] for step in sorted(records)), broken)


def _whole_lines(content: bytes) -> Iterator[bytes]:
    lines = content.split(b"\n")
    return (line for line in lines[:-1] if line.strip())


def _record(value: dict[str, object]) -> Record:
    groups = value["groups"]
    step, untouched = value["step"], value["untouched"]
    if not (isinstance(groups, dict) and isinstance(step, int) and isinstance(untouched, list)):
        raise TypeError("not a record")
    measured = {
        str(name): Measurement(**{key: _number_in(value) for key, value in facts.items()})  # type: ignore[arg-type]
        for name, facts in groups.items()
    }
    return Record(step, measured, tuple(str(name) for name in untouched))


def _number_out(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def _number_in(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if value in ("nan", "inf", "-inf"):
        return float(str(value))
    raise ValueError("not a number")
