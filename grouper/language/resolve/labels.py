"""Labels: how they read, and what `expect` says of them."""

from __future__ import annotations

from collections.abc import Callable

from grouper.language.expressions import FUNCTIONS
from grouper.language.resolve import codes
from grouper.language.resolve.scope import Names
from grouper.language.resolve.walk import calls, words
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.source import Span

EXPECT_FUNCTIONS = ("count", "numel")


def check_claim(names: Names, rules: list[Rule], expect: tree.Expect) -> None:
    """Report what an `expect` names and the file does not declare."""
    claim = expect.claim
    parts = (
        (claim.left, claim.right)
        if isinstance(claim, tree.Comparison)
        else (claim.value, claim.first, claim.last)
    )
    for part in parts:
        _part(names, rules, part)


def _part(names: Names, rules: list[Rule], part: tree.Expression) -> None:
    labels = [rule.label for rule in rules if rule.label]
    for found in attributes(part):
        _declared(names, found.label, labels, found.span)
    for call in calls(part):
        if call.function in EXPECT_FUNCTIONS:
            for argument in call.arguments:
                name = label_of(argument)
                if name is None or len(call.arguments) != 1:
                    names.report(
                        codes.BAD_VALUE,
                        f"`{call.function}` takes one label",
                        call.span,
                        f"write `{call.function}(head)`",
                    )
                else:
                    _declared(names, name, labels, argument.span)
        elif call.function not in FUNCTIONS:
            names.unknown("function", call.function, [*FUNCTIONS, *EXPECT_FUNCTIONS], call.span)
    inside = {id(a) for c in calls(part) if c.function in EXPECT_FUNCTIONS for a in c.arguments}
    for word, _ in words(part):
        if id(word) in inside or word.name == "frozen":
            continue
        if word.name in names.variables:
            names.used.add(word.name)


def _declared(names: Names, name: str, labels: list[tree.Label], span: Span | None) -> None:
    if any(could_be(label, name) for label in labels):
        return
    names.unknown("label", name, [label_text(label) for label in labels], span)


def check_labels_of_splits(names: Names, rules: list[Rule]) -> None:
    """Report labels that two splits declare: their product could not be named."""
    owner: dict[str, Rule] = {}
    for rule in rules:
        if rule.split is None or rule.label is None:
            continue
        name = label_text(rule.label)
        first = owner.setdefault(name, rule)
        if first.split != rule.split:
            names.twice(
                f"the label `{name}`",
                rule.label.span,
                first.label.span if first.label else None,
                f"the splits `{first.split}` and `{rule.split}` need labels of their own",
            )


def attributes(expression: tree.Expression) -> list[tree.Attribute]:
    """Every `label.key` of an expression."""
    match expression:
        case tree.Attribute():
            return [expression]
        case tree.Unary(operand=operand):
            return attributes(operand)
        case tree.Binary(left=left, right=right):
            return attributes(left) + attributes(right)
        case tree.Call(arguments=items) | tree.Tuple(items=items):
            return [found for item in items for found in attributes(item)]
    return []


def label_of(expression: tree.Expression) -> str | None:
    """The label that the argument of `count` or `numel` names."""
    match expression:
        case tree.Word(name=name) | tree.String(value=name):
            return name
    return None


def label_text(label: tree.Label) -> str:
    """A label as it is written: `block{i}`."""
    return "".join(
        f"{{{piece.name}}}" if isinstance(piece, tree.Word) else piece.text
        for piece in label.pieces
    )


def could_be(label: tree.Label, name: str) -> bool:
    """Whether a label can read `name` once its captures are filled in."""
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
