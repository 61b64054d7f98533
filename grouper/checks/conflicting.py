"""Two rules set different values for one option of a parameter.

The file must say which rule counts, with `else` or `override`; none wins silently.

    model.24.* -> head lr=0.01
    *.bias     -> bias lr=0.02        # bad: the head's biases get both

    model.24.*  -> head lr=0.01
    else *.bias -> bias lr=0.02       # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.findings import Code, Edit, Finding, Severity, labels_at
from grouper.match.assignment import ParameterAssignment, Setting
from grouper.model.inventory import Parameter
from grouper.options.values import value_text
from grouper.text.printable import count_phrase

CODE = Code("GR102", "conflicting-options", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each option and each set of rules that disagree about it."""
    disputed: dict[tuple[str, tuple[int, ...]], tuple[list[Setting], list[Parameter]]] = {}
    for alike in context.assignment.treated_alike:
        for key in () if alike[0].frozen else alike[0].conflicts:
            settings = _settings(alike[0], key)
            rules = (key, tuple(id(setting.option) for setting in settings))
            entry = disputed.setdefault(rules, (settings, []))
            entry[1].extend(assigned.parameter for assigned in alike)
    for (key, _), (settings, parameters) in disputed.items():
        yield _finding(context, key, settings, parameters)


def _settings(assigned: ParameterAssignment, key: str) -> list[Setting]:
    settings = [s for s in assigned.settings if s.option.key == key and s.option.operator == "="]
    overriding = [setting for setting in settings if setting.rule.override]
    return overriding if len(overriding) > 1 else settings


def _finding(
    context: Context, key: str, settings: list[Setting], parameters: list[Parameter]
) -> Finding:
    # The last rule is the place: the ones before it were there first.
    *others, last = settings
    labels = labels_at(last.option.span, _sets(last))
    for other in others:
        labels += labels_at(other.option.span, _sets(other))
    rule = last.rule
    plain = not rule.otherwise and not rule.override and rule.selector is not None
    edits: tuple[Edit, ...] = ()
    help = "say which one counts: begin one of the rules with `override`"
    if plain and rule.split is None and rule.selector is not None and rule.selector.span:
        span = rule.selector.span
        compound = " or " in span.text
        selector = f"({span.text})" if compound else span.text
        edits = (Edit(span, f"else {selector}"),)
        help = f"let the last rule take only what the others left: `else {selector} -> ...`"
    number = {2: "two", 3: "three"}.get(len(settings), str(len(settings)))
    get = "gets" if len(parameters) == 1 else "get"
    return Finding(
        CODE,
        f"{count_phrase(parameters)} {get} {number} values of `{key}`",
        labels,
        context.names(parameters),
        help=help,
        edits=edits,
    )


def _sets(setting: Setting) -> str:
    return f"{rule_name(setting.rule)} sets {value_text(setting.value)}"
