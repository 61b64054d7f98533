"""The optimizer groups: name, options and parameters, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grouper.inventory.model import Parameter
from grouper.ruleset.model import Value


@dataclass(frozen=True)
class Group:
    """One parameter group. `name` is unique: labels joined by `/`, `#2` behind the second of them.

    `options` go to the optimizer (lr, weight_decay, ...); `plan` are the plan's keys
    (warmup_start, schedule, ...); `optimizer` is the alias (or name) of its optimizer, None
    where the file declares none. `place` says where the rules set its lr (see grouper.places).
    """

    name: str
    labels: tuple[str, ...]
    options: Mapping[str, Value]
    plan: Mapping[str, Value]
    parameters: tuple[Parameter, ...]
    optimizer: str | None = None
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Grouping:
    """Groups and frozen parameters: together, the parameters of a clean report, each once."""

    groups: tuple[Group, ...]
    frozen: tuple[Parameter, ...] = ()
