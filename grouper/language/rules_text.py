"""A rule set as the text of a rules file, also where it was built in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from grouper.language.ruleset import Rule, RuleSet, Value, Warmup
from grouper.language.syntax import tree
from grouper.language.syntax.format import format_file


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
