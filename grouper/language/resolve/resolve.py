"""From the syntax tree to the rule set: includes expanded, names bound, words checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grouper.findings import Severity, in_order
from grouper.language.expressions import FACTS, BadValue, Scope, evaluate
from grouper.language.resolve import codes
from grouper.language.resolve.includes import Expansion, find, read
from grouper.language.resolve.labels import check_claim, check_labels_of_splits
from grouper.language.resolve.scope import INVALID
from grouper.language.resolve.training_statements import Training
from grouper.language.resolve.walk import calls, captures, possible_captures, words
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.shipped import shipped_rules
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_expression
from grouper.options.plan_keys import PLAN
from grouper.options.values import Value
from grouper.text.similar import similar
from grouper.text.source import Source


def load(name: str | Path, variables: Mapping[str, Value] | None = None) -> RuleSet:
    """The rule set of a file, or of a shipped file by its name.

    Raises FileNotFoundError where there is neither, OSError where the file cannot be read; what
    is wrong inside the file is in `findings`.
    """
    path = find(str(name), Path())
    if path is None:
        hint = similar("shipped file", str(name), shipped_rules())
        raise FileNotFoundError(
            f"there is no rules file `{name}`, and no shipped one of that name"
            + (f"; {hint}" if hint else "")
        )
    return resolve(read(path), variables)


def resolve(source: Source, variables: Mapping[str, Value] | None = None) -> RuleSet:
    """The rule set of a text. `variables` replace the values of the `let`s of their names."""
    expansion = Expansion()
    statements = tuple(expansion.statements(source))
    resolver = Resolver(source, dict(variables or {}))
    for statement in statements:
        resolver.take(statement)
    rules = resolver.finish(complete=not expansion.findings)
    findings = in_order([*expansion.findings, *resolver.findings])
    return RuleSet(**{**rules, "findings": findings})


def assignment(text: str) -> tuple[str, Value]:
    """`x=expr`, as `--set` takes it. Raises ValueError with the reason."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ValueError(f"`{text}` is not of the form `name=value`")
    try:
        return name.strip(), evaluate(parse_expression(value), Scope())
    except BadValue as error:
        raise ValueError(f"`{text}`: {error.message}") from None
    except ValueError as error:
        raise ValueError(f"`{text}`: {error}") from None


class Resolver(Training):
    """Takes the statements in order. What is faulty is reported and left out."""

    def __init__(self, source: Source, overrides: Mapping[str, Value]) -> None:
        super().__init__(overrides)
        self.source = source
        self.rules: list[Rule] = []
        self.splits: dict[str, tree.Split] = {}
        self.expects: list[tree.Expect] = []
        self.allows: list[tree.Allow] = []
        self.strict = False

    def take(self, statement: tree.Statement) -> None:
        """Resolve one statement."""
        match statement:
            case tree.Let():
                self._let(statement)
            case tree.Rule():
                self._rule(statement, None)
            case tree.Split():
                self._split(statement)
            case tree.Optimizer():
                self._optimizer(statement)
            case tree.Warmup():
                self._warmup(statement)
            case tree.Schedule():
                self._schedule(statement)
            case tree.Expect():
                self.expects.append(statement)
            case tree.Allow():
                self._comparisons(statement.selector)
                self.allows.append(statement)
            case tree.Strict():
                self.strict = True

    def finish(self, complete: bool) -> dict[str, Any]:
        """The rule set's fields. What could be said only of a whole file waits for `complete`."""
        if complete:
            self._optimizer_names(self.rules)
            check_labels_of_splits(self, self.rules)
            for expect in self.expects:
                check_claim(self, self.rules, expect)
            self._overrides()
            if not any(f.severity is Severity.ERROR for f in self.findings):
                self._unused()
        return {
            "rules": tuple(self.rules),
            "splits": tuple(self.splits),
            "optimizers": tuple(self.optimizers),
            "warmup": self.warmup,
            "schedule": self.schedule,
            "expects": tuple(self.expects),
            "allows": tuple(self.allows),
            "strict": self.strict,
            "variables": MappingProxyType(dict(self.variables)),
            "path": self.source.path,
        }

    def _overrides(self) -> None:
        for name in self.overrides:
            if name not in self.lets:
                declared = ", ".join(f"`{name}`" for name in self.lets) or "none"
                self.report(
                    codes.UNKNOWN_OVERRIDE,
                    f"`{name}` is set by the caller, and no `let` of `{self.source.path}` declares"
                    " it",
                    None,
                    similar("variable", name, self.lets) or f"its variables: {declared}",
                )

    def _unused(self) -> None:
        for name, let in self.lets.items():
            own = let.span is not None and let.span.source is self.source
            if own and name not in self.used:
                self.report(
                    codes.UNUSED_LET,
                    f"the variable `{name}` is never used",
                    let.name_span,
                    "use it, or take it away",
                )

    def _split(self, split: tree.Split) -> None:
        if split.name in self.splits:
            self.twice(f"the split `{split.name}`", split.span, self.splits[split.name].span)
            return
        self.splits[split.name] = split
        for rule in split.rules:
            self._rule(rule, split.name)

    def _rule(self, rule: tree.Rule, split: str | None) -> None:
        before = len(self.findings)
        sure, possible = captures(rule.selector), possible_captures(rule.selector)
        self._label(rule, sure, possible)
        self._keys(rule.options)
        self._comparisons(rule.selector)
        for option in rule.options:
            self._option(option, sure, possible)
        self._freeze(rule)
        sound = len(self.findings) == before
        for option in rule.options:
            self._spelling(option)
        if sound:
            self.rules.append(
                Rule(
                    rule.selector,
                    rule.label,
                    rule.options,
                    split,
                    rule.otherwise,
                    rule.override,
                    rule.span,
                )
            )

    def _label(self, rule: tree.Rule, sure: frozenset[str], possible: frozenset[str]) -> None:
        for piece in rule.label.pieces if rule.label else ():
            if isinstance(piece, tree.Word):
                self._capture(piece, sure, possible)

    def _option(self, option: tree.Option, sure: frozenset[str], possible: frozenset[str]) -> None:
        if option.key in ("optimizer", "schedule") and option.operator == "*=":
            self.report(
                codes.MISPLACED_OPTION,
                f"`{option.key}` is a word, and cannot be multiplied",
                option.span,
                f"write `{option.key}=...`",
            )
            return
        known = {*sure, *FACTS, *self.variables}
        faulty = self._words(option.value, known, option.key == "lr", sure, possible)
        if faulty or any(word.name in {*sure, *FACTS} for word, _ in words(option.value)):
            return
        if any(call.function == "max" for call in calls(option.value)) and possible:
            return
        value = self._value(option.value)
        kind = PLAN.get(option.key)
        if kind and option.operator == "=" and value is not INVALID:
            self._kind(option, value, kind)

    def _freeze(self, rule: tree.Rule) -> None:
        flags = [option for option in rule.options if option.operator == "flag"]
        others = [option for option in rule.options if option.operator != "flag"]
        if flags and others:
            self.report(
                codes.FROZEN_OPTIONS,
                f"`{others[0].key}` has no effect beside `freeze`",
                others[0].span,
                "frozen parameters are in no group: take away one or the other",
                also=flags[0].span,
            )
