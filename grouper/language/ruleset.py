"""The rule set: a rules file after includes are expanded, names bound and words checked.

It can be built in Python as well as from text, and prints itself back as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from grouper.language.syntax import tree
from grouper.language.syntax.format import format_file
from grouper.options.values import Configured, Value
from grouper.text.arguments import require, require_all
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Finding, Severity
from grouper.text.printable import visible
from grouper.text.shown import Shown, line
from grouper.text.source import Span

# A value of the plan; an expression where it depends on a group's own lr: `final=1e-5/lr`.
PlanValue = Value | tree.Expression


@dataclass(frozen=True)
class Rule:
    """One rule.

    `split` is the split that it is in, or None at the file's top level. `condition` is what follows
    `where`. An `optional` rule may match nothing.
    """

    selector: tree.Selector | None
    label: tree.Label | None = None
    options: tuple[tree.Option, ...] = ()
    split: str | None = None
    otherwise: bool = False
    override: bool = False
    condition: tree.Selector | None = None
    optional: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def freezes(self) -> bool:
        return any(option.key == "freeze" for option in self.options)


@dataclass(frozen=True)
class Optimizer:
    """A declared optimizer: `SGD`, or `package.module:Class`; its options are evaluated.

    `options` go to its constructor, `plan` are the plan's keys that its groups begin with.
    """

    name: str
    alias: str | None = None
    options: Mapping[str, Value] = field(default_factory=dict)
    plan: Mapping[str, PlanValue] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False)
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)

    @property
    def key(self) -> str:
        """The name that rules give it: its alias, or its own."""
        return self.alias or self.name


@dataclass(frozen=True)
class Warmup:
    """`epochs`, `steps` or a `share` of the run, with the least number of steps.

    `start` is the lr at step 0, `shape` how the lr rises from there.
    """

    epochs: float | None = None
    steps: int | None = None
    share: float | None = None
    min_steps: int = 0
    start: PlanValue = 0.0
    momentum: float | None = None
    shape: str = "linear"
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Schedule:
    """The factor of lr after warm-up; `options` are the schedule's own (`final`, `every`, ...)."""

    name: str = "constant"
    options: Mapping[str, PlanValue] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, repr=False)
class RuleSet(Shown):
    """Everything that a rules file says, in file order, ready to be matched.

    `variables` are the `let`s' values after the caller's overrides; those that keep the file's have
    a span. `schedules` are those of other
    options than lr, by option. `tags` are keys for other readers of the groups. `models` are the
    paths of the file's `for` statements, `base_model` that of its base model. `expects` and
    `allows` are the tree's own statements. `findings` are what parsing and resolving had to say: a
    rule set with errors among them is never matched.
    """

    rules: tuple[Rule, ...] = ()
    splits: tuple[str, ...] = ()
    optimizers: tuple[Optimizer, ...] = ()
    warmup: Warmup | None = None
    schedule: Schedule | None = None
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    base_model: str | None = None
    expects: tuple[tree.Expect, ...] = ()
    allows: tuple[tree.Allow, ...] = ()
    strict: bool = False
    variables: Mapping[str, Value] = field(default_factory=dict)
    path: str = field(default="<string>", compare=False)
    tag_spans: Mapping[str, Span | None] = field(default_factory=dict, compare=False, repr=False)
    variable_spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    findings: tuple[Finding, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        require_all("rules", self.rules, Rule, "a tuple of rules")
        require_all("optimizers", self.optimizers, Optimizer, "a tuple of optimizers")
        require("variables", self.variables, Mapping, "a dict of values by name")

    @property
    def optimizers_by_name(self) -> Mapping[str, Optimizer]:
        """The declared optimizers, by the names that rules give them."""
        return {optimizer.key: optimizer for optimizer in self.optimizers}

    def __str__(self) -> str:
        return rules_text(self)

    def __repr__(self) -> str:
        errors = sum(finding.severity is Severity.ERROR for finding in self.findings)
        found = f", {errors} error{'s' * (errors != 1)}" if errors else ""
        rules = f"{len(self.rules)} rule{'s' * (len(self.rules) != 1)}"
        return line(self, visible(f"{self.path}: {rules}{found}"))


def rules_text(rules: RuleSet) -> str:
    """Text that resolves to an equal rule set: includes expanded, variables with their values."""
    return format_file(tree.File(tuple(_statements(rules))))


def plan_text(rules: RuleSet) -> list[str]:
    """The warm-up and the schedules as statements, with their values and without what they have by
    themselves."""
    own = _warmup(Warmup())
    statements: list[tree.Statement] = []
    if rules.warmup is not None:
        given = {k: v for k, v in _warmup(rules.warmup).items() if v != own.get(k)}
        statements.append(tree.Warmup(_options(given)))
    of_lr = [(None, rules.schedule)] if rules.schedule else []
    for key, schedule in [*of_lr, *rules.schedules.items()]:
        statements.append(tree.Schedule(schedule.name, _options(schedule.options), key))
    return [format_file(tree.File((statement,))).strip() for statement in statements]


def _statements(rules: RuleSet) -> Iterable[tree.Statement]:
    yield from map(tree.For, rules.models)
    if rules.base_model is not None:
        yield tree.BaseModel(rules.base_model)
    if rules.tags:
        yield tree.Tag(rules.tags)
    for name, value in rules.variables.items():
        yield tree.Let(name, literal(value))
    for optimizer in rules.optimizers:
        options = _options({**optimizer.options, **optimizer.plan})
        yield tree.Optimizer(optimizer.name, optimizer.alias, options)
    if rules.warmup is not None:
        yield tree.Warmup(_options(_warmup(rules.warmup)))
    if rules.schedule is not None:
        yield tree.Schedule(rules.schedule.name, _options(rules.schedule.options))
    for key, schedule in rules.schedules.items():
        yield tree.Schedule(schedule.name, _options(schedule.options), key)
    if rules.strict:
        yield tree.Strict()
    for split, members in groupby(rules.rules, key=lambda rule: rule.split):
        if split is None:
            yield from map(_rule, members)
        else:
            yield tree.Split(split, tuple(map(_rule, members)))
    yield from (tree.Expect(expect.claim, expect.after_warmup) for expect in rules.expects)
    yield from (tree.Allow(allow.code, allow.selector) for allow in rules.allows)


def literal(value: Value) -> tree.Expression:
    """A value as an expression."""
    if isinstance(value, bool) or value is None:
        return tree.Constant(value)
    if isinstance(value, str):
        return tree.String(value)
    if isinstance(value, tuple):
        return tree.Tuple(tuple(map(literal, value)))
    if isinstance(value, Configured):
        return tree.Configured(value.name, _options(dict(value.options)))
    if value < 0:
        return tree.Unary("-", tree.Number(-value))
    return tree.Number(value)


def _rule(rule: Rule) -> tree.Rule:
    return tree.Rule(
        rule.selector,
        rule.label,
        rule.options,
        rule.otherwise,
        rule.override,
        rule.condition,
        rule.optional,
    )


def _options(values: Mapping[str, PlanValue]) -> tuple[tree.Option, ...]:
    return tuple(
        tree.Option(key, "=", value if isinstance(value, tree.Node) else literal(value))
        for key, value in values.items()
    )


def _warmup(warmup: Warmup) -> Mapping[str, PlanValue]:
    given = {
        "epochs": warmup.epochs,
        "steps": warmup.steps,
        "share": warmup.share,
        "min_steps": warmup.min_steps,
        "start": warmup.start,
        "momentum": warmup.momentum,
        "shape": warmup.shape if warmup.shape != "linear" else None,
    }
    return {key: value for key, value in given.items() if value is not None}
