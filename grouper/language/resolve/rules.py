"""Rules: their selectors, labels, conditions and options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.language.arithmetic import FUNCTIONS
from grouper.language.expressions import OF_CAPTURES, OF_LABELS
from grouper.language.facts import FACTS
from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.resolve.option_check import OptionCheck
from grouper.language.resolve.variables import Variables
from grouper.language.resolve.walk import capture_order, captures, comparisons, possible_captures
from grouper.language.resolve.word_check import Place, WordCheck
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.dataclass import dataclass

FACT_WORDS = frozenset(FACTS)


def block_captures(block: Iterable[tree.Rule]) -> frozenset[str]:
    """The captures of a block's rules, whose numbers can be counted."""
    return frozenset().union(*(possible_captures(rule.selector) for rule in block))


@dataclass(frozen=True)
class RuleResolver:
    """Turns the rules of the tree into rules of the rule set."""

    variables: Variables
    words: WordCheck
    options: OptionCheck
    diagnostics: Diagnostics

    def rules(
        self, rules: Iterable[tree.Rule], split: str | None, of_block: frozenset[str]
    ) -> Iterator[Rule]:
        """Rules of a block, those with problems left out; `of_block` are the captures of all."""
        for rule in rules:
            before = len(self.diagnostics.findings)
            self._check(rule, of_block)
            if len(self.diagnostics.findings) == before:
                yield Rule(
                    rule.selector,
                    rule.label,
                    rule.options,
                    split,
                    rule.otherwise,
                    rule.override,
                    rule.condition,
                    rule.optional,
                    rule.span,
                )

    def _check(self, rule: tree.Rule, of_block: frozenset[str]) -> None:
        place = Place(
            sure=captures(rule.selector),
            possible=capture_order(rule.selector),
            of_block=of_block,
            extra=FACT_WORDS,
            labels=True,
            base_model=True,
        )
        self._captures(rule, place)
        self._optional(rule)
        for piece in rule.label.pieces if rule.label else ():
            if isinstance(piece, tree.Word):
                self.words.capture(piece, place)
        self.options.unique(rule.options)
        self.selector(rule.selector)
        self._condition(rule, place)
        for option in rule.options:
            self.options.of_rule(option, place)
        self._freeze(rule)

    def selector(self, selector: tree.Selector | None) -> None:
        """Check the comparisons of a selector, which know variables alone."""
        for comparison in comparisons(selector):
            left = comparison.left
            numeric = not (isinstance(left, tree.Word) and left.name == "dtype")
            facts = Place(extra=FACT_WORDS)
            self.words.check(comparison.right, facts, numeric)
            if isinstance(left, tree.Subscript):
                self.words.check(left.index, Place(), True)

    def _condition(self, rule: tree.Rule, place: Place) -> None:
        """`where` knows captures and facts, and no label: labels are decided later."""
        inside = Place(
            place.sure, place.possible, place.of_block, FACT_WORDS, labels=False, base_model=True
        )
        for comparison in comparisons(rule.condition):
            dtype = tree.Word("dtype") in (comparison.left, comparison.right)
            self.words.check(comparison.left, inside, not dtype)
            self.words.check(comparison.right, inside, not dtype)

    def _captures(self, rule: tree.Rule, place: Place) -> None:
        taken = {*FACTS, *FUNCTIONS, *OF_CAPTURES, *OF_LABELS}
        for name in place.possible:
            if name in taken or name in self.variables.lets:
                what = "a fact or a function" if name in taken else "a variable"
                let = self.variables.lets.get(name)
                self.diagnostics.report(
                    codes.DUPLICATE,
                    f"the capture `{name}` is called like {what}",
                    rule.selector.span if rule.selector else rule.span,
                    "rename it",
                    also=let.name_span if let else None,
                )

    def _optional(self, rule: tree.Rule) -> None:
        if rule.optional and rule.selector is None:
            self.diagnostics.report(
                codes.MISPLACED_OPTION,
                "a bare `else` may be left with nothing, and needs no `optional`",
                rule.span,
                "take `optional` away",
            )

    def _freeze(self, rule: tree.Rule) -> None:
        flags = [option for option in rule.options if option.operator == "flag"]
        others = [option for option in rule.options if option.operator != "flag"]
        if flags and others:
            self.diagnostics.report(
                codes.FROZEN_OPTIONS,
                f"`{others[0].key}` has no effect beside `freeze`",
                others[0].span,
                "frozen parameters are in no group: remove one or the other",
                also=flags[0].span,
            )
