"""The rule set: a rules file after includes are expanded, names bound and words checked.

It can be built in Python as well as from text, and prints itself back as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from grouper.findings import Finding
from grouper.language.syntax import tree
from grouper.language.syntax.format import format_file
from grouper.options.values import Value
from grouper.text.source import Span


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

    @property
    def key(self) -> str:
        """The name that rules give it: its alias, or its own."""
        return self.alias or self.name


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

    @property
    def optimizers_by_name(self) -> Mapping[str, Optimizer]:
        """The declared optimizers, by the names that rules give them."""
        return {optimizer.key: optimizer for optimizer in self.optimizers}

    def __str__(self) -> str:
        return rules_text(self)


def rules_text(rules: RuleSet) -> str:
    """Text that resolves to an equal rule set: includes expanded, variables with their values."""
    return format_file(tree.File(tuple(_statements(rules))))


def _statements(rules: RuleSet) -> Iterable[tree.Statement]:
    for name, value in rules.variables.items():
        yield tree.Let(name, literal(value))
    for optimizer in rules.optimizers:
        yield tree.Optimizer(optimizer.name, optimizer.alias, _options(optimizer.options))
    if rules.warmup is not None:
        yield tree.Warmup(_options(_warmup(rules.warmup)))
    if rules.schedule is not None:
        yield tree.Schedule(rules.schedule.name, _options(rules.schedule.options))
    if rules.strict:
        yield tree.Strict()
    for split, members in groupby(rules.rules, key=lambda rule: rule.split):
        if split is None:
            yield from map(_rule, members)
        else:
            yield tree.Split(split, tuple(map(_rule, members)))
    yield from (tree.Expect(expect.claim) for expect in rules.expects)
    yield from (tree.Allow(allow.code, allow.selector) for allow in rules.allows)


def literal(value: Value) -> tree.Expression:
    """A value as an expression."""
    if isinstance(value, bool) or value is None:
        return tree.Constant(value)
    if isinstance(value, str):
        return tree.String(value)
    if isinstance(value, tuple):
        return tree.Tuple(tuple(map(literal, value)))
    if value < 0:
        return tree.Unary("-", tree.Number(-value))
    return tree.Number(value)


def _rule(rule: Rule) -> tree.Rule:
    return tree.Rule(rule.selector, rule.label, rule.options, rule.otherwise, rule.override)


def _options(values: Mapping[str, Value]) -> tuple[tree.Option, ...]:
    return tuple(tree.Option(key, "=", literal(value)) for key, value in values.items())


def _warmup(warmup: Warmup) -> Mapping[str, Value]:
    given = {
        "epochs": warmup.epochs,
        "steps": warmup.steps,
        "min_steps": warmup.min_steps,
        "start": warmup.start,
        "momentum": warmup.momentum,
    }
    return {key: value for key, value in given.items() if value is not None}
