"""What follows `where`: conditions on captures, facts and numbers of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from grouper.language.expressions import Scope, compare
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.match.answers import NO, YES, Answer, Test, where
from grouper.match.capture_numbers import BlockNumbers
from grouper.match.captures import Captures
from grouper.model.inventory import Inventory, Parameter
from grouper.options.values import Value
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Conditions:
    """Evaluates the conditions of one block's rules."""

    inventory: Inventory
    variables: Mapping[str, Value]
    numbers: BlockNumbers
    base: Mapping[str, Parameter] | None

    def narrowed(self, test: Test, condition: tree.Selector) -> Test:
        """The test of `S where C`: what `S` matches and for which `C` holds."""

        def narrowed_test(parameter: Parameter) -> Answer:
            answer = test(parameter)
            if not answer.truth:
                return answer
            return where(answer, self.answer(condition, parameter, answer.captures))

        return narrowed_test

    def answer(self, condition: tree.Selector, parameter: Parameter, captures: Captures) -> Answer:
        """Whether the condition holds for a parameter that a selector matches with captures."""
        try:
            truth = self._holds(condition, parameter, captures)
        except BadValue as error:
            return Answer(False, problems=((condition, error),))
        if truth is None:
            reason = f"a {self.inventory.kind} does not say"
            return Answer(None, unanswered=((condition, reason),))
        return YES if truth else NO

    def _holds(
        self, condition: tree.Selector, parameter: Parameter, captures: Captures
    ) -> bool | None:
        match condition:
            case tree.Comparison():
                scope = Scope(self.variables, captures, parameter, self.numbers, base=self.base)
                return compare(condition, scope)
            case tree.Not(operand=operand):
                truth = self._holds(operand, parameter, captures)
                return None if truth is None else not truth
            case tree.And(operands=operands):
                truths = [self._holds(operand, parameter, captures) for operand in operands]
                return False if False in truths else None if None in truths else True
            case tree.Or(operands=operands):
                truths = [self._holds(operand, parameter, captures) for operand in operands]
                return True if True in truths else None if None in truths else False
            case (
                tree.Glob()
                | tree.Regex()
                | tree.Exact()
                | tree.ClassName()
                | tree.Within()
                | tree.Flag()
                | tree.Has()
            ):
                raise BadValue("a condition is made of comparisons", condition.span)
            case _:
                assert_never(condition)
