"""The rule set: a rules file after includes are expanded, names bound and words checked.

It can be built in Python as well as from text, and prints itself back as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from grouper.findings import Finding
from grouper.language.syntax import tree
from grouper.text.source import Span

Value: TypeAlias = int | float | bool | str | tuple["Value", ...] | None

# The plan's own keys; every other key goes to the optimizer's parameter group as it is.
PLAN_KEYS = (
    "warmup_start",
    "warmup_epochs",
    "warmup_steps",
    "warmup_momentum",
    "schedule",
    "final",
)


@dataclass(frozen=True)
class Rule:
    """One rule. `split` is the split that it stands in, or None at the file's top level."""

    selector: tree.Selector | None
    label: tree.Label | None = None
    options: tuple[tree.Option, ...] = ()
    split: str | None = None
    otherwise: bool = False
    override: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def freezes(self) -> bool:
        return any(option.key == "freeze" for option in self.options)


@dataclass(frozen=True)
class Optimizer:
    """A declared optimizer: `SGD`, or `package.module:Class`; its options are evaluated."""

    name: str
    alias: str | None = None
    options: Mapping[str, Value] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False)
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Warmup:
    """`epochs` or `steps`, with the least number of steps; `start` is the lr at step 0."""

    epochs: float | None = None
    steps: int | None = None
    min_steps: int = 0
    start: float = 0.0
    momentum: float | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Schedule:
    """The factor of lr after warm-up; `options` are the schedule's own (`final`, `every`, ...)."""

    name: str = "constant"
    options: Mapping[str, Value] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class RuleSet:
    """Everything that a rules file says, in file order, ready to be matched.

    `variables` are the `let`s' values after the caller's overrides. `expects` and `allows` are
    the tree's own statements. `findings` are what parsing and resolving had to say: a rule set
    with errors among them is never matched.
    """

    rules: tuple[Rule, ...] = ()
    splits: tuple[str, ...] = ()
    optimizers: tuple[Optimizer, ...] = ()
    warmup: Warmup | None = None
    schedule: Schedule | None = None
    expects: tuple[tree.Expect, ...] = ()
    allows: tuple[tree.Allow, ...] = ()
    strict: bool = False
    variables: Mapping[str, Value] = field(default_factory=dict)
    path: str = field(default="<string>", compare=False)
    findings: tuple[Finding, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        from grouper.language.rules_text import rules_text

        return rules_text(self)
