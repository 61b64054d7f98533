"""Labels: their text, and the checks of labels that claims and values name."""

from __future__ import annotations

from collections.abc import Callable

from grouper.language.arithmetic import CONSTANTS, FUNCTIONS
from grouper.language.expressions import OF_LABELS, label_of
from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.resolve.variables import Variables
from grouper.language.resolve.walk import attributes, calls, words
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.source import Span


class LabelCheck:
    """Checks that every label that is named belongs to a rule."""

    def __init__(self, rules: list[Rule], variables: Variables, diagnostics: Diagnostics) -> None:
        self._rules = rules
        self._labels = [rule.label for rule in rules if rule.label]
        self._variables = variables
        self._diagnostics = diagnostics

    def splits(self) -> None:
        """Report labels that two splits share: their product would have ambiguous names."""
        owner: dict[str, Rule] = {}
        for rule in self._rules:
            if rule.split is None or rule.label is None:
                continue
            name = label_text(rule.label)
            first = owner.setdefault(name, rule)
            if first.split != rule.split:
                self._diagnostics.twice(
                    f"the label `{name}`",
                    rule.label.span,
                    first.label.span if first.label else None,
                    f"the splits `{first.split}` and `{rule.split}` need labels of their own",
                )

    def call(self, call: tree.Call) -> None:
        """Check the label of a `count(label)` or `numel(label)` in a value."""
        label = label_of(call)
        assert label is not None
        self._declared(label, call.arguments[0].span)
        let = self._variables.lets.get(label)
        if let is not None:
            self._diagnostics.report(
                codes.DUPLICATE,
                f"`{label}` is a variable and a label",
                call.arguments[0].span,
                "rename one of them",
                also=let.name_span,
            )

    def claim(self, expect: tree.Expect) -> None:
        """Check what an `expect` names."""
        claim = expect.claim
        if isinstance(claim, tree.Comparison):
            parts: tuple[tree.Expression, ...] = (claim.left, claim.right)
        else:
            parts = (claim.value, claim.first, claim.last)
        for part in parts:
            self._part(part)

    def _part(self, part: tree.Expression) -> None:
        for found in attributes(part):
            self._declared(found.label, found.span)
        of_labels = [call for call in calls(part) if _takes_label(call)]
        for call in calls(part):
            if call.function in OF_LABELS and label_of(call) is None:
                message = f"`{call.function}` takes one label"
                help = f"write `{call.function}(head)`"
                self._diagnostics.report(codes.BAD_VALUE, message, call.span, help)
            elif call.function not in FUNCTIONS and not _takes_label(call):
                known = [*FUNCTIONS, *OF_LABELS, "lr", "momentum"]
                self._diagnostics.unknown("function", call.function, known, call.span)
        for call in of_labels:
            argument = call.arguments[0]
            name = argument.name if isinstance(argument, tree.Word) else None
            name = argument.value if isinstance(argument, tree.String) else name
            self._declared(str(name), argument.span)
        inside = {id(call.arguments[0]) for call in of_labels}
        for word, number in words(part):
            known_word = word.name == "frozen" or word.name in CONSTANTS
            if id(word) in inside or known_word or self._variables.use(word):
                continue
            if number:
                names = ["frozen", *self._variables.values]
                self._diagnostics.unknown("variable", word.name, names, word.span)

    def _declared(self, name: str, span: Span | None) -> None:
        if not any(could_be(label, name) or stem(label) == name for label in self._labels):
            self._diagnostics.unknown("label", name, map(label_text, self._labels), span)


def _takes_label(call: tree.Call) -> bool:
    """Whether a call in a claim is `count(label)`, or an option in the plan: `lr(label)`."""
    one = len(call.arguments) == 1 and isinstance(call.arguments[0], tree.Word | tree.String)
    return one and call.function not in FUNCTIONS


def label_text(label: tree.Label) -> str:
    """A label as it is written: `block{i}`."""
    return "".join(
        f"{{{piece.name}}}" if isinstance(piece, tree.Word) else piece.text
        for piece in label.pieces
    )


def stem(label: tree.Label) -> str:
    """A label without its captures: `block` of `block{i}`, which stands for all of them."""
    return "".join(piece.text for piece in label.pieces if isinstance(piece, tree.Text))


def could_be(label: tree.Label, name: str) -> bool:
    """Whether a label can become `name` when its captures are filled in."""
    rest = [name]
    for piece in label.pieces:
        take: Callable[[str], list[str]] = (
            _without_number if isinstance(piece, tree.Word) else _without(piece.text)
        )
        rest = [tail for head in rest for tail in take(head)]
    return "" in rest


def _without(text: str) -> Callable[[str], list[str]]:
    return lambda name: [name[len(text) :]] if name.startswith(text) else []


def _without_number(name: str) -> list[str]:
    digits = len(name) - len(name.lstrip("0123456789"))
    return [name[i:] for i in range(1, digits + 1)]
