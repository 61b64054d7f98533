"""The values of a matching rule's options for one parameter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from grouper.language.expressions import (
    CaptureNumbers,
    LabelTotals,
    Scope,
    as_number,
    captured_names,
    evaluate,
)
from grouper.language.facts import FACTS
from grouper.language.resolve.option_check import OF_RATE
from grouper.language.resolve.walk import attributes, calls, captures, words
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.match import codes
from grouper.match.assignment import Given, Match, Matches
from grouper.match.label_totals import label_totals, uses_totals
from grouper.model.inventory import Parameter
from grouper.options.torch_values import as_torch_takes
from grouper.options.values import Configured, Value
from grouper.text.dataclass import dataclass
from grouper.text.findings import Code, Finding, labels_at
from grouper.text.printable import quoted_list
from grouper.text.source import Span


class Problem(NamedTuple):
    """A value that fails; one for each option, however many parameters it has."""

    code: Code
    option: tree.Option
    place: Span | None
    message: str
    help: str

    @property
    def key(self) -> object:
        return self.code.id, id(self.option), self.place

    def finding(self, parameters: Iterable[Parameter]) -> Finding:
        names = tuple(parameter.name for parameter in parameters)
        return Finding(self.code, self.message, labels_at(self.place), names, help=self.help)


@dataclass(frozen=True)
class OptionValues:
    """Computes values: with the variables of the file, the numbers of the model, the totals of the
    labels, and the base model."""

    rules: RuleSet
    numbers: Mapping[str | None, CaptureNumbers]
    totals: LabelTotals | None
    base: Mapping[str, Parameter] | None

    def given(
        self, match: Match, parameter: Parameter, lr: Value, of_rate: bool
    ) -> Iterator[Given | Problem]:
        """What a rule gives the parameter, flags left out; a Problem where a value fails.

        Options that may use the group's own lr come with `of_rate`, when that is known.
        """
        for option in match.rule.options:
            if option.operator == "flag" or (option.key in OF_RATE) != of_rate:
                continue
            try:
                yield Given(match.rule, option, self._value(match, option, parameter, lr))
            except BadValue as error:
                yield Problem(
                    codes.BAD_RESULT,
                    option,
                    error.span or option.span,
                    error.message,
                    error.help or "select the parameters for which it has a value",
                )

    def scope(self, match: Match, option: tree.Option, parameter: Parameter, lr: Value) -> Scope:
        """What words in an option stand for; `lr` is that of the parameter's group."""
        own = {"lr": lr} if option.key in OF_RATE and lr is not None else {}
        return Scope(
            {**self.rules.variables, **own} if own else self.rules.variables,
            match.captures,
            parameter,
            self.numbers.get(match.rule.split),
            self.totals,
            self.base,
        )

    def _value(self, match: Match, option: tree.Option, parameter: Parameter, lr: Value) -> Value:
        expression = option.value
        value: Value
        if isinstance(expression, tree.Number | tree.Constant | tree.String):
            value = expression.value
        else:
            _check_captured(match, expression)
            scope = self.scope(match, option, parameter, lr)
            value = as_torch_takes(option.key, configured(expression, scope))
        return as_number(value, expression) if option.operator == "*=" else value


def option_values(matches: Matches) -> OptionValues:
    """What computes the values of these matches' options."""
    totals = label_totals(matches) if uses_totals(matches.rules) else None
    return OptionValues(matches.rules, matches.numbers, totals, matches.base)


def configured(expression: tree.Expression, scope: Scope) -> Value:
    """The value of an expression, or a schedule with the values of its options."""
    if not isinstance(expression, tree.Configured):
        return evaluate(expression, scope)
    options = ((option.key, evaluate(option.value, scope)) for option in expression.options)
    return Configured(expression.name, tuple(options))


def uses_facts(rule: Rule) -> bool:
    """Whether the rule can give parameters of other shapes or dtypes other values."""
    return any(word.name in FACTS for option in rule.options for word, _ in words(option.value))


def used_words(rule: Rule) -> set[str]:
    """The words of a rule's values and of its label: those that are captures are numbers there."""
    found = {word.name for option in rule.options for word, _ in words(option.value)}
    pieces = rule.label.pieces if rule.label is not None else ()
    return found | {piece.name for piece in pieces if not isinstance(piece, tree.Text)}


def uses_base(rule: Rule) -> bool:
    """Whether the rule can give parameters of other names other values, through the base model."""
    return any(True for option in rule.options for _ in attributes(option.value))


def _check_captured(match: Match, expression: tree.Expression) -> None:
    """A regex may capture what is not an integer: such a group has no number."""
    missing = captures(match.rule.selector) - set(match.captures)
    needed = {word.name for word, _ in words(expression)} & missing
    if missing and (needed or any(captured_names(call) for call in calls(expression))):
        listed = quoted_list(sorted(missing))
        raise BadValue(f"{listed} did not capture an integer in this name", expression.span)
