"""Shares answers between parameters whose names differ in numbers alone.

They must agree in class, shape and whatever else selectors depend on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeAlias

from grouper.language.syntax import tree
from grouper.match.answers import Answer, Test
from grouper.match.asked import Asked, together
from grouper.match.captures import Captured
from grouper.match.digit_places import DigitTexts
from grouper.match.facts_asked import facts_asked
from grouper.match.name_starts import NameStarts, skeleton_of
from grouper.model.inventory import Inventory, Parameter
from grouper.text.dataclass import dataclass, field

MOST_KINDS = 50_000  # that are remembered

Numbers: TypeAlias = tuple[str, ...]
Places: TypeAlias = tuple[tuple[str, int], ...]  # captures, and which of the numbers they are


@dataclass(frozen=True)
class Question:
    """A selector, its test, and what its answer depends on.

    `then` is what is asked of the parameters that it matches.
    """

    selector: tree.Selector | None
    test: Test
    asked: Asked
    then: Asked


@dataclass(frozen=True, eq=False)
class Alike:
    """What is answered to parameters that are alike: the questions (by their index) of which the
    answer is not a mere no. `places` say for each which of the numbers its captures are; `given`
    holds the facts on which hangs what is asked then."""

    answers: tuple[tuple[int, Answer], ...]
    places: tuple[Places, ...]
    given: Hashable

    def captures(self, at: int, numbers: Numbers) -> Mapping[str, int]:
        """The captures of an answer, for a parameter with these numbers."""
        return {name: int(numbers[place]) for name, place in self.places[at]}


Found: TypeAlias = tuple[Alike, Numbers]
_Cut: TypeAlias = tuple[int, int, int]  # which name, and from where to where in it


@dataclass(eq=False, slots=True)
class _Kind:
    """Names that differ in numbers alone, of parameters with the same facts.

    `questions` may be answered with other than no. `places` are where texts with digits may stand,
    each with the texts' numbers; `known` the answers of questions to a name in which none of their
    texts does, `open` those that wait for such a name. `all` is what is found for all of the names,
    where their numbers change nothing.
    """

    facts: Hashable
    questions: frozenset[int]
    places: tuple[tuple[int, int, Mapping[str, int]], ...]
    open: set[int]
    known: dict[int, Answer] = field(default_factory=dict)
    found: dict[object, tuple[Alike, tuple[_Cut, ...]]] = field(default_factory=dict)
    all: Found | None = None


class Kinds:
    """Answers questions about the parameters of an inventory, once for those that are alike.

    `tests` counts the answers that were worked out.
    """

    def __init__(self, inventory: Inventory, questions: Sequence[Question]) -> None:
        self.tests = 0
        self._questions = questions
        self._starts = NameStarts([question.selector for question in questions])
        self._each = {i for i, q in enumerate(questions) if q.asked.name or q.then.name}
        whole = together(asked for q in questions for asked in (q.asked, q.then))
        self._facts = facts_asked(inventory, whole)
        self._texts = DigitTexts([question.asked for question in questions])
        self._kinds: dict[tuple[str, Hashable], _Kind] = {}
        self._alike: dict[object, Alike] = {}

    def of(self, parameter: Parameter) -> Found:
        """The answers for a parameter, and the numbers in its name that their captures refer to."""
        names = parameter.names
        name = names[0]
        skeleton = skeleton_of(name)
        facts = tuple([ask(parameter) for ask in self._facts]) if self._facts else ()
        kind = self._kinds.get((skeleton, facts))
        if kind is None:
            if len(names) > 1 or "0" not in skeleton or len(self._kinds) > MOST_KINDS:
                return self._alone(parameter, facts)
            kind = self._kinds[skeleton, facts] = self._kind(skeleton, facts)
        elif len(names) > 1:
            return self._alone(parameter, facts)
        if kind.all is not None:
            return kind.all
        stand = tuple([texts.get(name[start:end]) for start, end, texts in kind.places])
        found = kind.found.get(stand)
        if found is None:
            found = kind.found[stand] = self._decided(kind, stand, parameter)
        if self._each and (own := self._own(skeleton, parameter)):
            return self._with_own(found[0], own, kind, parameter)
        numbers = tuple([name[start:end] for _, start, end in found[1]])
        if not (kind.places or numbers or self._each):
            kind.all = found[0], numbers
        return found[0], numbers

    def _kind(self, skeleton: str, facts: Hashable) -> _Kind:
        questions = frozenset(self._starts.of(skeleton) - self._each)
        return _Kind(facts, questions, self._texts.places(skeleton, questions), set(questions))

    def _decided(
        self, kind: _Kind, stand: Iterable[int | None], parameter: Parameter
    ) -> tuple[Alike, tuple[_Cut, ...]]:
        touched = self._texts.askers(stand) & kind.questions
        for index in kind.open - touched:
            answer = self._test(index, parameter)
            if _says(answer):
                kind.known[index] = answer
        kind.open &= touched
        answers = {i: a for i, a in kind.known.items() if i not in touched}
        return self._shared(answers | self._answers(touched, parameter), kind.facts, parameter)

    def _own(self, skeleton: str, parameter: Parameter) -> dict[int, Answer]:
        """The answers to the questions that depend on the whole name."""
        return self._answers(self._each & self._starts.of(skeleton), parameter)

    def _with_own(
        self, alike: Alike, own: dict[int, Answer], kind: _Kind, parameter: Parameter
    ) -> Found:
        others = {i: a for i, a in alike.answers if not a.captures}
        capturing = self._answers({i for i, a in alike.answers if a.captures}, parameter)
        made, cuts = self._shared(others | capturing | own, kind.facts, parameter)
        return made, _cut(parameter, cuts)

    def _alone(self, parameter: Parameter, facts: Hashable) -> Found:
        asked = {i for name in parameter.names for i in self._starts.of(skeleton_of(name))}
        alike, cuts = self._shared(self._answers(asked, parameter), facts, parameter)
        return alike, _cut(parameter, cuts)

    def _answers(self, indexes: Iterable[int], parameter: Parameter) -> dict[int, Answer]:
        """The answers that are not a mere no."""
        answers = {index: self._test(index, parameter) for index in indexes}
        return {index: answer for index, answer in answers.items() if _says(answer)}

    def _test(self, index: int, parameter: Parameter) -> Answer:
        self.tests += 1
        return self._questions[index].test(parameter)

    def _shared(
        self, by_index: Mapping[int, Answer], facts: Hashable, parameter: Parameter
    ) -> tuple[Alike, tuple[_Cut, ...]]:
        """The answers as one value for all parameters to which they are given."""
        answers = tuple(sorted(by_index.items(), key=lambda item: item[0]))
        cuts: dict[_Cut, int] = {}
        places = tuple(
            tuple(
                (name, cuts.setdefault(_cut_of(number), len(cuts)))
                for name, number in answer.captures.items()
            )
            for _, answer in answers
        )
        then = [self._questions[index].then for index, answer in answers if answer.truth]
        given = (
            facts if any(one.facts for one in then) else None,
            parameter.name if any(one.name for one in then) else None,
        )
        said = tuple((i, a.truth, a.name_index, a.unanswered, a.problems) for i, a in answers)
        key = said, places, given
        if key not in self._alike:
            self._alike[key] = Alike(answers, places, given)
        return self._alike[key], tuple(cuts)


def _says(answer: Answer) -> bool:
    return answer.truth is not False or bool(answer.problems)


def _cut_of(number: int) -> _Cut:
    assert isinstance(number, Captured)
    return number.name_index, number.start, number.end


def _cut(parameter: Parameter, cuts: Iterable[_Cut]) -> Numbers:
    return tuple(parameter.names[index][start:end] for index, start, end in cuts)
