"""Checks that the words of an expression mean something where they stand."""

from __future__ import annotations

from grouper.language.arithmetic import CONSTANTS, FUNCTIONS
from grouper.language.expressions import BASE_MODEL, OF_LABELS, captured_names, label_of
from grouper.language.facts import FACTS
from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.resolve.variables import Variables
from grouper.language.resolve.walk import attributes, calls, words
from grouper.language.syntax import tree
from grouper.text.dataclass import dataclass, field
from grouper.text.printable import quoted_list
from grouper.text.similar import did_you_mean


@dataclass(frozen=True)
class Place:
    """What may be named where an expression stands.

    `sure` are captures that every match has, `possible` those of some matches, in the order in
    which they are written. `of_block` are the captures that rules of the block have. `extra` are
    further words: facts, `lr`. `labels` says whether `count(label)` may be here, `base_model`
    whether its facts may.
    """

    sure: frozenset[str] = frozenset()
    possible: tuple[str, ...] = ()
    of_block: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    labels: bool = False
    base_model: bool = False


ALONE = Place()


@dataclass
class WordCheck:
    """Checks words against the variables so far and reports what names nothing."""

    variables: Variables
    diagnostics: Diagnostics
    base_model: str | None = None
    labels: list[tree.Call] = field(default_factory=list)  # to be looked up when all are known

    def check(self, expression: tree.Expression, place: Place, number: bool = False) -> bool:
        """Whether all words of an expression are right; what is not is reported."""
        before = len(self.diagnostics.findings)
        self._calls(expression, place)
        self._attributes(expression, place)
        if len(self.diagnostics.findings) > before:
            return False
        inside = {id(argument) for call in self._counted(expression) for argument in call.arguments}
        for word, must_be_number in words(expression, number):
            if id(word) not in inside:
                self._word(word, must_be_number, place)
        return len(self.diagnostics.findings) == before

    def _word(self, word: tree.Word, number: bool, place: Place) -> None:
        if word.name in place.sure or word.name in place.extra or self.variables.use(word):
            return
        if word.name in place.possible and number:
            self.capture(word, place)
        elif number and word.name not in CONSTANTS:
            known = {*self.variables.values, *place.sure, *place.extra}
            self.diagnostics.unknown("variable", word.name, known, word.span)

    def capture(self, word: tree.Word, place: Place) -> None:
        """Report a word that should be a capture and that not every match sets."""
        if word.name in place.sure:
            return
        if word.name in place.possible:
            self.diagnostics.report(
                codes.UNKNOWN_CAPTURE,
                f"`{word.name}` is captured only in some alternatives of the selector",
                word.span,
                "write a rule for each alternative",
            )
            return
        self.diagnostics.report(
            codes.UNKNOWN_CAPTURE,
            f"the selector captures no number `{word.name}`",
            word.span,
            did_you_mean(word.name, place.possible)
            or f"write `{{{word.name}}}` in the selector where the number stands",
        )

    def _counted(self, expression: tree.Expression) -> list[tree.Call]:
        """The calls that speak of captures or labels, and not of values."""
        return [c for c in calls(expression) if captured_names(c) or label_of(c) is not None]

    def _calls(self, expression: tree.Expression, place: Place) -> None:
        for call in calls(expression):
            names = captured_names(call)
            if names and self._of_captures(call, names, place):
                continue
            if call.function in OF_LABELS:
                self._of_label(call, place)
            elif call.function not in FUNCTIONS:
                known = [*FUNCTIONS, *OF_LABELS, "rank"]
                self.diagnostics.unknown("function", call.function, known, call.span)

    def _of_captures(self, call: tree.Call, names: tuple[str, ...], place: Place) -> bool:
        """Whether a call speaks of captures; what is wrong with it then is reported."""
        known = [name for name in names if name in place.possible or name in place.of_block]
        if call.function in ("count", "numel") and not known:
            return False
        words = [argument for argument in call.arguments if isinstance(argument, tree.Word)]
        if call.function in ("min", "max") and names[0] in self.variables.values:
            return False
        for word in words:
            if word.name not in known:
                self.capture(word, place)
                return True
            if word.name in self.variables.values:
                self._ambiguous(word)
                return True
        order = tuple(name for name in place.possible if name in names)
        if call.function == "rank" and set(order) != set(names):
            missing = next(word for word in words if word.name not in order)
            self.diagnostics.report(
                codes.UNKNOWN_CAPTURE,
                f"`rank` needs this rule's own number, and its selector captures no"
                f" `{missing.name}`",
                missing.span,
                f"write `count({', '.join(names)})`, or capture `{{{missing.name}}}` here",
            )
        elif len(order) == len(names) and order != names:
            self.diagnostics.report(
                codes.UNKNOWN_CAPTURE,
                f"{quoted_list(names)} are in another order in the name",
                call.span,
                f"write `{call.function}({', '.join(order)})`",
            )
        return True

    def _ambiguous(self, word: tree.Word) -> None:
        self.diagnostics.report(
            codes.DUPLICATE,
            f"`{word.name}` is a variable and a capture",
            word.span,
            "rename one of them",
            also=self.variables.lets[word.name].name_span,
        )

    def _of_label(self, call: tree.Call, place: Place) -> None:
        label = label_of(call)
        if label is None:
            self.diagnostics.report(
                codes.BAD_VALUE,
                f"`{call.function}` takes one label"
                + (", or captures" if call.function == "count" else ""),
                call.span,
                f"write `{call.function}(head)`",
            )
        elif not place.labels:
            self.diagnostics.report(
                codes.BAD_VALUE,
                f"`{call.function}({label})` has no value here: labels are decided before values",
                call.span,
                "use it in an option of a rule, or in `expect`",
            )
        else:
            self.labels.append(call)

    def _attributes(self, expression: tree.Expression, place: Place) -> None:
        for attribute in attributes(expression):
            if attribute.label != BASE_MODEL:
                self.diagnostics.report(
                    codes.BAD_VALUE,
                    f"`{attribute.label}.{attribute.key}` has a value only in `expect`",
                    attribute.span,
                    "an option can use variables, captures and facts of the parameter",
                )
            elif not place.base_model:
                self.diagnostics.report(
                    codes.BAD_VALUE,
                    "facts of the base model have values only in options and after `where`",
                    attribute.span,
                    "write them there",
                )
            elif attribute.key not in FACTS:
                self.diagnostics.unknown(
                    "fact of the base model", attribute.key, FACTS, attribute.span
                )
            elif self.base_model is None:
                self.diagnostics.report(
                    codes.UNKNOWN_NAME,
                    "there is no base model to take this from",
                    attribute.span,
                    'name it in the file: `base_model "small.json"`',
                )
