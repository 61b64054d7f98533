"""Converts groups to a rule set with one rule each, so that checks of rules can run on them."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.checks.audit.audited import NAMES, Audited, AuditedGroup
from grouper.checks.context import Context
from grouper.group.group import Group, unique
from grouper.group.grouping import Grouping
from grouper.language.ruleset import Optimizer, Rule, RuleSet, literal
from grouper.language.syntax import tree
from grouper.match.assignment import (
    Assignment,
    Combination,
    Decision,
    ParameterAssignment,
    Setting,
)
from grouper.options.read_only import ReadOnly
from grouper.options.values import Value, same

SHOWN = ("lr", "weight_decay")  # even if they are the class's defaults


def context_of(audited: Audited) -> Context:
    """The context in which each group's parameters are matched by a rule without a selector.

    A parameter belongs to the first group that has it, a frozen one to none. The lr is the initial
    one if a scheduler has stored it.
    """
    optimizers = _optimizers(audited)
    rules: list[Rule] = []
    assigned: dict[str, ParameterAssignment] = {}
    groups = []
    for group in audited.groups:
        options = _before_schedules(shown_options(group))
        rule = _rule(group, options)
        rules.append(rule)
        settings = tuple(Setting(rule, o, options[o.key], True) for o in rule.options)
        labels = (group.label,) if group.label else ()
        trained = tuple(
            parameter
            for parameter in audited.parameters(group)
            if parameter.trainable is not False and parameter.name not in assigned
        )
        decision = Decision(Combination((rule,), (0,), ((),)), settings, labels, options)
        for parameter in trained:
            assigned[parameter.name] = ParameterAssignment(parameter, (), decision)
        groups.append(
            Group(group.name, labels, options, ReadOnly({}), trained, _key(group, optimizers))
        )
    nothing = Decision(Combination(), (), (), ReadOnly[Value]({}))
    parameters = tuple(
        assigned.get(p.name) or ParameterAssignment(p, (), nothing)
        for p in audited.inventory.parameters
    )
    declared = tuple(optimizers.values())
    rule_set = RuleSet(tuple(rules), optimizers=declared)
    signatures = {_key(group, optimizers): group.signature for group in audited.groups}
    return Context(
        rule_set,
        audited.inventory,
        Assignment(rule_set, audited.inventory, parameters),
        Grouping(tuple(group for group in groups if group.parameters)),
        signatures,
    )


def shown_options(group: AuditedGroup) -> Mapping[str, Value]:
    """The options that characterise a group, without its name, defaults of the class and internal
    keys of the class. The lr comes first, then the weight decay."""
    first = {key: group.options[key] for key in SHOWN if key in group.options}
    rest = {k: v for k, v in group.options.items() if k not in SHOWN and _is_shown(k, v, group)}
    return ReadOnly({**first, **rest})


def _is_shown(key: str, value: Value, group: AuditedGroup) -> bool:
    known = group.signature
    if key in known.defaults:
        return not same(value, known.defaults[key])
    return key not in (*NAMES, *(known.group or ())) and value is not None


def _before_schedules(options: Mapping[str, Value]) -> Mapping[str, Value]:
    first = options.get("initial_lr")
    rate = {"lr": first} if isinstance(first, int | float) else {}
    return ReadOnly({**{k: v for k, v in options.items() if k != "initial_lr"}, **rate})


def _rule(group: AuditedGroup, options: Mapping[str, Value]) -> Rule:
    label = tree.Label((tree.Text(group.name),))
    return Rule(
        None, label, tuple(tree.Option(key, "=", literal(value)) for key, value in options.items())
    )


def _optimizers(audited: Audited) -> Mapping[tuple[int, bool], Optimizer]:
    """A declaration for each optimizer; one that uses a second method for some groups, like
    implementations of Muon, gets two."""
    keys: set[str] = set()
    by_key: dict[tuple[int, bool], Optimizer] = {}
    for group in audited.groups:
        key = id(group.optimizer), _falls_back(group)
        if key not in by_key:
            name = group.optimizer.optimizer or "optimizer"
            name = "fallback" if key[1] else name
            by_key[key] = Optimizer(name, unique(name, keys))
    return by_key


def _key(group: AuditedGroup, optimizers: Mapping[tuple[int, bool], Optimizer]) -> str:
    return optimizers[id(group.optimizer), _falls_back(group)].key


def _falls_back(group: AuditedGroup) -> bool:
    options = group.options
    return options.get("use_muon") is False or options.get("use_fallback") is True
