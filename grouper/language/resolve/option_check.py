"""Checks the options of rules and statements: their names, their values, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grouper.language.expressions import captured_names, label_of
from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.resolve.variables import INVALID, Variables
from grouper.language.resolve.walk import attributes, calls, words
from grouper.language.resolve.word_check import Place, WordCheck
from grouper.language.ruleset import PlanValue
from grouper.language.syntax import tree
from grouper.options.foreign import SCHEDULE_NAMES
from grouper.options.kinds import Constraint
from grouper.options.plan_keys import PLAN
from grouper.options.schedules import SCHEDULES
from grouper.options.values import Configured, Value, is_number, quoted_value
from grouper.text.dataclass import dataclass, replace
from grouper.text.similar import did_you_mean

# Options whose values may use the group's own lr, which is known when all others are.
OF_RATE = frozenset({"final", "start", "warmup_start"})
LR = frozenset({"lr"})


@dataclass(frozen=True)
class OptionCheck:
    """Evaluates options, and reports what is wrong with them."""

    variables: Variables
    words: WordCheck
    diagnostics: Diagnostics

    def unique(self, options: Iterable[tree.Option]) -> None:
        """Report keys that stand twice among the options of one rule or statement."""
        first: dict[str, tree.Option] = {}
        for option in options:
            if option.key in first:
                what = f"the key `{option.key}`"
                self.diagnostics.twice(what, option.span, first[option.key].span)
            first.setdefault(option.key, option)

    def value(self, option: tree.Option, constraint: Constraint | None, own: str = "lr") -> Any:
        """The value of a statement's option, or INVALID, reported.

        Where it uses `own`, an option that each group has for itself, it stays an expression.
        """
        place = Place()
        if option.key in OF_RATE:
            place = Place(extra=frozenset({own}) - self.variables.values.keys())
            self.shadowed(option, own)
        if isinstance(option.value, tree.Configured) and option.key == "schedule":
            return self.configured(option.value, place)
        if not self.words.check(option.value, place, option.key == "lr"):
            return INVALID
        if place.extra & {word.name for word, _ in words(option.value)}:
            return option.value
        value = self.variables.value(option.value)
        if value is INVALID or (constraint and not self.fits(option, value, constraint)):
            return INVALID
        return value

    def shadowed(self, option: tree.Option, own: str) -> None:
        """Report a variable that hides the group's own option where that one may be meant."""
        let = self.variables.lets.get(own)
        if let is not None and any(word.name == own for word, _ in words(option.value)):
            self.diagnostics.report(
                codes.DUPLICATE,
                f"`{own}` is a variable, and in `{option.key}` the {own} of each group",
                option.value.span,
                "rename the variable",
                also=let.name_span,
            )

    def configured(self, value: tree.Configured, place: Place) -> Any:
        """A schedule with its own options, or INVALID, reported."""
        kind = SCHEDULES.get(value.name)
        if kind is None:
            meant = SCHEDULE_NAMES.get(value.name)
            self.diagnostics.unknown("schedule", value.name, SCHEDULES, value.span, meant)
            return INVALID
        self.unique(value.options)
        given: dict[str, Any] = {}
        for option in value.options:
            if option.operator != "=":
                self._multiplied(option)
                return INVALID
            if option.key not in kind.options:
                self.diagnostics.unknown("option", option.key, kind.options, option.key_span)
                return INVALID
            given[option.key] = self.value(option, kind.options[option.key][0])
        if any(found is INVALID for found in given.values()):
            return INVALID
        missing = kind.missing_option(given)
        if missing is not None:
            self.diagnostics.report(codes.BAD_VALUE, missing, value.span, "write one of them")
            return INVALID
        return Configured(value.name, tuple(given.items()))

    def _multiplied(self, option: tree.Option) -> None:
        self.diagnostics.report(
            codes.MISPLACED_OPTION,
            f"`{option.key}` of a schedule can only be set",
            option.span,
            f"write `{option.key}=...`",
        )

    def of_rule(self, option: tree.Option, place: Place) -> None:
        """Check an option of a rule, as far as that is possible without a model."""
        if option.operator == "flag":
            return
        if option.key in ("optimizer", "schedule") and option.operator == "*=":
            self.diagnostics.report(
                codes.MISPLACED_OPTION,
                f"`{option.key}` is a word, and cannot be multiplied",
                option.span,
                f"write `{option.key}=...`",
            )
            return
        if option.key == "schedule" and isinstance(option.value, tree.Configured):
            self.configured(option.value, place)
            return
        if option.key in OF_RATE:
            self.shadowed(option, "lr")
            place = replace(place, extra=place.extra | LR)
        if not self.words.check(option.value, place, option.key == "lr"):
            return
        if self.depends_on_match(option.value, place):
            return
        value = self.variables.value(option.value)
        if value is INVALID:
            return
        constraint = PLAN.get(option.key)
        if option.operator == "*=" and not is_number(value):
            self.diagnostics.report(
                codes.BAD_VALUE,
                f"`{option.key}` can be multiplied by a number only, not by {quoted_value(value)}",
                option.value.span,
                f"write `{option.key}*=0.1`, or set it: `{option.key}=...`",
            )
        elif option.operator == "=" and constraint:
            self.fits(option, value, constraint)

    def depends_on_match(self, expression: tree.Expression, place: Place) -> bool:
        """Whether an expression uses captures, facts, labels or the base model.

        Its value can then differ from parameter to parameter.
        """
        open_words = {*place.sure, *place.possible, *place.extra} - self.variables.values.keys()
        if any(word.name in open_words for word, _ in words(expression)):
            return True
        counted = (captured_names(c) or label_of(c) is not None for c in calls(expression))
        return any(counted) or any(True for _ in attributes(expression))

    def fits(self, option: tree.Option, value: Value, constraint: Constraint) -> bool:
        """Whether a value is what its key needs; if not, it is reported."""
        expected, test = constraint
        if test(value):
            return True
        candidates = [
            *self.variables.values,
            *(SCHEDULES if option.key == "schedule" else ()),
        ]
        hint = did_you_mean(value, candidates) if isinstance(value, str) else None
        self.diagnostics.report(
            codes.BAD_VALUE,
            f"`{option.key}` must be {expected}, not {quoted_value(value)}",
            option.value.span,
            hint or f"give `{option.key}` {expected}",
        )
        return False


def plain(values: Mapping[str, PlanValue]) -> dict[str, Value]:
    """The values that do not depend on a group's own options."""
    return {k: v for k, v in values.items() if not isinstance(v, tree.Node)}
