"""Finds options of a schedule that stand beside `schedule=`, where nothing reads them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.options.plan_keys import PLAN
from grouper.options.schedules import SCHEDULES
from grouper.options.values import Value
from grouper.text.findings import Edit, Finding, labels_at
from grouper.text.printable import quoted_list
from grouper.text.source import Span


def check_beside(
    rules: Iterable[Rule],
    tags: Container[str],
    variables: Mapping[str, Value],
    diagnostics: Diagnostics,
) -> None:
    """Report the options of rules that belong in the parentheses of their `schedule=`.

    Those that the file declares as tags are its own.
    """
    for rule in rules:
        beside_schedule(rule.options, tags, variables, diagnostics)


def beside_schedule(
    options: tuple[tree.Option, ...],
    tags: Container[str],
    variables: Mapping[str, Value],
    diagnostics: Diagnostics,
) -> None:
    """Report the options that belong in the parentheses of the `schedule=` beside them."""
    chosen = next((o for o in options if o.key == "schedule"), None)
    kind = SCHEDULES.get(_name(chosen.value, variables)) if chosen else None
    if chosen is None or kind is None:
        return
    beside = [
        option
        for option in options
        if option.key in kind.options and option.key not in PLAN and option.key not in tags
    ]
    if beside:
        keys = [option.key for option in beside]
        inside = f"schedule={kind.name}({', '.join(f'{key}=...' for key in keys)})"
        one = len(keys) == 1
        diagnostics.findings.append(
            Finding(
                codes.MISPLACED_OPTION,
                f"{quoted_list(keys)} {'is an option' if one else 'are options'} of the schedule"
                f" `{kind.name}`, and nothing reads {'it' if one else 'them'} outside of its"
                " parentheses",
                labels_at(beside[0].key_span),
                help=f"write `{inside}`",
                edits=_moved_inside(chosen, beside),
            )
        )


def _name(value: tree.Expression, variables: Mapping[str, Value]) -> str:
    match value:
        case tree.Configured(name=name):
            return name
        case tree.Word(name=name) | tree.String(value=name):
            return str(variables.get(name, name))
        case _:
            return ""


def _moved_inside(chosen: tree.Option, beside: list[tree.Option]) -> tuple[Edit, ...]:
    """Edits that move each option from its place into parentheses after the schedule's name."""
    place = chosen.value.span
    spans = [option.span for option in beside]
    known = chosen.value.options if isinstance(chosen.value, tree.Configured) else ()
    twice = {option.key for option in known} & {option.key for option in beside}
    sets = all(option.operator == "=" for option in beside)
    if place is None or None in spans or twice or not sets:
        return ()
    text = place.text
    inside = ", ".join(span.text for span in spans if span is not None)
    inner = f"{text[:-1]}, {inside})" if known else f"{text}({inside})"
    taken = (Edit(_with_space(span), "") for span in spans if span is not None)
    return (Edit(place, inner), *taken)


def _with_space(span: Span) -> Span:
    """The span, and the blanks in front of it."""
    start = len(span.source.text[: span.start].rstrip(" \t"))
    return Span(span.source, start, span.end)
