"""The derivations of a parameter's options, from what the rules set."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from grouper.language.expressions import Scope, as_number
from grouper.language.ruleset import Optimizer, RuleSet, literal
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_expression
from grouper.language.value_errors import BadValue
from grouper.match.assignment import Assignment, Matches, ParameterAssignment, Setting
from grouper.match.capture_numbers import Blocks, capture_numbers
from grouper.match.derivation.derivation import Derivation, Source, Term
from grouper.match.derivation.rule_words import rule_words
from grouper.match.derivation.substitute import Substitution
from grouper.match.option_values import OptionValues, configured, option_values
from grouper.match.resolve_options import plan_default
from grouper.model.base_model import base_parameters
from grouper.model.inventory import Parameter
from grouper.options.values import Configured, Value, same
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Deriver:
    """Derives the options of an assignment's parameters."""

    assignment: Assignment

    def derivations(self, assigned: ParameterAssignment) -> tuple[Derivation, ...]:
        """Those of a parameter's options, in their order, and then of those in conflict."""
        keys = [key for key in assigned.options if key not in assigned.conflicts]
        found = [self.derivation(key, assigned) for key in keys]
        return (*found, *(self._conflict(key, assigned) for key in assigned.conflicts))

    def derivation(self, key: str, assigned: ParameterAssignment) -> Derivation:
        """That of an option about which the rules agree."""
        settings = [s for s in assigned.settings if s.option.key == key]
        setters = [s for s in settings if s.option.operator == "=" and s.effective]
        factors = sorted((s for s in settings if s.option.operator == "*="), key=_number)
        base = self._set(setters, assigned) if setters else self._default(key, assigned)
        return Derivation(
            key,
            assigned.options[key],
            (base, *(self._term(factor, assigned) for factor in factors)),
            tuple(self._term(s, assigned) for s in settings if not s.effective),
        )

    def _conflict(self, key: str, assigned: ParameterAssignment) -> Derivation:
        settings = [s for s in assigned.settings if s.option.key == key]
        return Derivation(key, None, (), (), tuple(self._term(s, assigned) for s in settings))

    def _set(self, setters: list[Setting], assigned: ParameterAssignment) -> Term:
        """The value that one rule sets, or several alike: all of them are its sources."""
        first, *others = (self._term(setter, assigned) for setter in setters)
        sources = dict.fromkeys((*first.sources, *(s for term in others for s in term.sources)))
        return Term(first.expression, first.value, tuple(sources))

    def _term(self, setting: Setting, assigned: ParameterAssignment) -> Term:
        match = next(match for match in assigned.matches if match.rule is setting.rule)
        lr = assigned.options.get("lr")
        scope = self._values.scope(match, setting.option, assigned.parameter, lr)
        source = Source(rule_words(setting.rule), setting.option.span)
        return self._substituted(setting.option.value, scope, setting.value, source)

    def _default(self, key: str, assigned: ParameterAssignment) -> Term:
        """The value of the `optimizer` statement, or of the plan's statements."""
        optimizer = _optimizer(self._rules, assigned.options.get("optimizer"))
        if optimizer is None or key not in optimizer.options:
            return self._of_plan(key, assigned)
        several = len(self._rules.optimizers) > 1
        span = optimizer.spans.get(key)
        value = optimizer.options[key]
        source = Source("optimizer" + f" {optimizer.key}" * several, span)
        written = span.text.partition("=")[2] if span is not None else ""
        return self._substituted(_parsed(written), Scope(self._rules.variables), value, source)

    def _of_plan(self, key: str, assigned: ParameterAssignment) -> Term:
        """What factors of a plan's key multiply: the value of the `warmup` or `schedule` statement,
        which is that of the parameter without them."""
        statement = self._rules.schedule if key == "final" else self._rules.warmup
        word = "schedule" if key == "final" else "warmup"
        value = plan_default(key, self._rules)
        return Term(literal(value), value, (Source(word, statement.span if statement else None),))

    def _substituted(
        self, expression: tree.Expression | None, scope: Scope, value: Value, source: Source
    ) -> Term:
        substitution = Substitution(scope, self._rules.variable_spans)
        try:
            if expression is None or not _comes_to(value, expression, scope):
                return Term(literal(value), value, (source,))
            shown = substitution.of(expression)
        except BadValue:
            return Term(literal(value), value, (source,))
        return Term(shown, value, (source, *substitution.sources))

    @property
    def _rules(self) -> RuleSet:
        return self.assignment.rules

    @cached_property
    def numbers(self) -> Blocks:
        """The numbers of the model that the rules speak of, by block."""
        return capture_numbers(self._rules, self.assignment.inventory)[0]

    @cached_property
    def base(self) -> Mapping[str, Parameter] | None:
        """The parameters of the base model, by name."""
        return base_parameters(self._rules.base_model).parameters

    @cached_property
    def _values(self) -> OptionValues:
        parameters = self.assignment.parameters
        combinations = tuple(assigned.decision.combination for assigned in parameters)
        captured = tuple(assigned.numbers for assigned in parameters)
        inventory = self.assignment.inventory
        return option_values(
            Matches(
                self._rules,
                inventory,
                combinations,
                captured,
                numbers=self.numbers,
                base=self.base,
            )
        )


def _optimizer(rules: RuleSet, name: Value) -> Optimizer | None:
    """The optimizer that a parameter goes to: the first one, or that named."""
    if isinstance(name, str):
        return rules.optimizers_by_name.get(name)
    return rules.optimizers[0] if rules.optimizers else None


def _parsed(written: str) -> tree.Expression | None:
    try:
        return parse_expression(written.strip())
    except ValueError:
        return None


def _comes_to(value: Value, expression: tree.Expression, scope: Scope) -> bool:
    found = configured(expression, scope)
    return found == value if isinstance(value, Configured) else same(found, value)


def _number(setting: Setting) -> int | float:
    return as_number(setting.value, setting.option)
