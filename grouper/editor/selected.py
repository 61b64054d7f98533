"""What a selector matches by itself, without the other rules."""

from __future__ import annotations

from grouper.editor.document import Document
from grouper.language.syntax import tree
from grouper.match.compile_selector import compile_selector
from grouper.match.name_starts import name_starts
from grouper.model.inventory import Inventory, Parameter


def selected(
    selector: tree.Selector, inventory: Inventory, document: Document
) -> tuple[tuple[Parameter, ...], tuple[str, ...]]:
    """The parameters that a selector matches, and why this is unknown for others."""
    test = compile_selector(selector, inventory, document.rules.variables)
    starts = name_starts(selector)
    matches: list[Parameter] = []
    reasons: dict[str, None] = {}
    for parameter in inventory.parameters:
        if starts and not any(name.startswith(starts) for name in parameter.names):
            continue
        answer = test(parameter)
        if answer.truth:
            matches.append(parameter)
        reasons.update({reason: None for _, reason in answer.unanswered})
        reasons.update({error.message: None for _, error in answer.problems})
    return tuple(matches), tuple(reasons)
