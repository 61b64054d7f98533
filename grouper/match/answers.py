"""What a selector answers about a parameter (yes, no, or not known), and how answers combine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.match.captures import Captured, Captures, NameTest
from grouper.model.inventory import Parameter
from grouper.text.dataclass import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a selector matches a parameter, by which of its names, with what numbers captured.

    `truth` is None where the model's file does not say: `unanswered` are then the selectors that
    asked, each with the reason. `problems` are selectors that fail for this parameter: they count
    as not matching it.
    """

    truth: bool | None
    name_index: int = 0
    captures: Captures = field(default_factory=dict)
    unanswered: tuple[tuple[tree.Selector, str], ...] = ()
    problems: tuple[tuple[tree.Selector, BadValue], ...] = ()


Test: TypeAlias = Callable[[Parameter], Answer]
YES, NO = Answer(True), Answer(False)


def by_name(captures_of: NameTest) -> Test:
    """Matches a parameter where one of its names matches."""

    def test(parameter: Parameter) -> Answer:
        for index, name in enumerate(parameter.names):
            captures = captures_of(name)
            if captures is not None:
                return (
                    Answer(True, index, _of_name(captures, name, index))
                    if index or captures
                    else YES
                )
        return NO

    return test


def _of_name(captures: Captures, name: str, index: int) -> Captures:
    """The captures, which know in which of the parameter's names they are."""
    if not index:
        return captures
    return {
        key: Captured(name, number.start, number.end, index)
        for key, number in captures.items()
        if isinstance(number, Captured)
    }


def guarded(selector: tree.Selector, test: Test) -> Test:
    """A selector that fails for a parameter does not match it; the answer says why."""

    def guarded_test(parameter: Parameter) -> Answer:
        try:
            return test(parameter)
        except BadValue as error:
            return Answer(False, problems=((selector, error),))

    return guarded_test


def negation(operand: Test) -> Test:
    """`not S`: it captures nothing."""

    def test(parameter: Parameter) -> Answer:
        inner = operand(parameter)
        if inner.truth is None:
            return inner
        return _with_problems(NO if inner.truth else YES, [inner])

    return test


def conjunction(operands: Sequence[Test]) -> Test:
    """`S and T`: a number that both capture must be the same one."""

    def test(parameter: Parameter) -> Answer:
        answers = [operand(parameter) for operand in operands]
        return _with_problems(_all(answers), answers)

    return test


def disjunction(operands: Sequence[Test]) -> Test:
    """`S or T`: the first that matches gives the captures."""

    def test(parameter: Parameter) -> Answer:
        answers = [operand(parameter) for operand in operands]
        return _with_problems(_any(answers), answers)

    return test


def where(answer: Answer, condition: Answer) -> Answer:
    """`S where C`, for what `S` matches: its captures, where `C` holds."""
    if condition.truth:
        return answer
    if condition.truth is None:
        return replace(answer, truth=None, unanswered=condition.unanswered)
    return condition


def _all(answers: list[Answer]) -> Answer:
    if any(answer.truth is False for answer in answers):
        return NO
    if any(answer.truth is None for answer in answers):
        return Answer(None, unanswered=_unanswered(answers))
    captures: dict[str, int] = {}
    for answer in answers:
        for name, value in answer.captures.items():
            if captures.setdefault(name, value) != value:
                return NO
    return Answer(True, answers[0].name_index, captures)


def _any(answers: list[Answer]) -> Answer:
    first = next((answer for answer in answers if answer.truth), None)
    if first is not None:
        return first
    unanswered = _unanswered(answers)
    return Answer(None, unanswered=unanswered) if unanswered else NO


def _unanswered(answers: list[Answer]) -> tuple[tuple[tree.Selector, str], ...]:
    return tuple(question for answer in answers for question in answer.unanswered)


def _with_problems(answer: Answer, parts: list[Answer]) -> Answer:
    problems = tuple(problem for part in parts for problem in part.problems)
    return replace(answer, problems=problems) if problems else answer
