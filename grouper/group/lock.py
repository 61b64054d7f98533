"""A lock: the groups that rules gave a model once, to compare with those that they give later."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet, rules_text
from grouper.model.inventory import Inventory, Parameter
from grouper.options.values import Value, value_text
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Code, Severity
from grouper.text.printable import visible
from grouper.text.source import Span

LOCK_CHANGED = Code(
    "GR503",
    "lock-changed",
    Severity.ERROR,
    """Rules or model give other groups than those that were locked.

`grouper lock MODEL RULES` writes `RULES.lock`: the model, and each group with its options and its
parameters. `grouper check --locked` compares. A rule, a variable, an included file, the model's
code or a new version of its library may change how parameters are trained, and nobody notices. So
the lock stands beside the rules in the repository, and a change of groups is a change of that file.

    grouper check --locked my.rules          # fails where a group, an option or a member differs
    grouper lock my.rules                    # where the change is meant: write it anew
""",
)


@dataclass(frozen=True)
class LockedGroup:
    """A group: its options, its optimizer and the keys of its plan as text, and its parameters by
    the names that the model has for them."""

    name: str
    options: Mapping[str, str]
    parameters: tuple[str, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class LockedModel:
    """What rules give one model.

    `digest` is that of its parameters' names and shapes, in order. `statements` are those about the
    run. `frozen` are the parameters that do not train, `unmatched` those that are accepted so.
    """

    path: str
    tensors: int
    parameters: int
    digest: str
    statements: tuple[str, ...]
    groups: tuple[LockedGroup, ...]
    frozen: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)


def locked_model(
    path: str, inventory: Inventory, rules: RuleSet, grouping: Grouping
) -> LockedModel:
    """What the rules give a model now. `path` is the model as the lock names it."""
    return LockedModel(
        path,
        len(inventory.parameters),
        inventory.numel,
        _digest(inventory.parameters),
        tuple(_statements(rules)),
        tuple(map(_group, grouping.groups)),
        tuple(p.name for p in grouping.frozen),
        tuple(p.name for p in grouping.unmatched),
    )


def _group(group: Group) -> LockedGroup:
    options = {"optimizer": group.optimizer, **group.options, **group.plan}
    return LockedGroup(
        group.name,
        {key: visible(value_text(_number(value))) for key, value in options.items()},
        tuple(p.name for p in group.parameters),
    )


def _number(value: Value) -> Value:
    """1 and 1.0 are one value, as they are in rules."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _statements(rules: RuleSet) -> Iterable[str]:
    """The statements about optimizer and run, as text."""
    alone = RuleSet(
        optimizers=rules.optimizers,
        warmup=rules.warmup,
        schedule=rules.schedule,
        schedules=rules.schedules,
    )
    return [" ".join(part.split()) for part in re.split(r"\n(?! )", rules_text(alone)) if part]


def _digest(parameters: Iterable[Parameter]) -> str:
    terms = [[p.names, p.shape] for p in parameters]
    text = json.dumps(terms, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
