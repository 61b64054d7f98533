"""Two rules set different values for one option of a parameter.

The file must state which rule applies, with `else` or `override`.

    model.24.* -> head lr=0.01
    *.bias     -> bias lr=0.02        # bad: the head's biases get both

    model.24.*  -> head lr=0.01
    else *.bias -> bias lr=0.02       # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, sets_phrase
from grouper.checks.rule_edits import selector_text_of
from grouper.language.ruleset import Rule
from grouper.match.assignment import ParameterAssignment, Setting
from grouper.model.inventory import Parameter
from grouper.options.values import same
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.printable import count_phrase, quoted_list
from grouper.text.source import Span

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
    # The finding is placed at the last rule, which was probably added last.
    *others, last = settings
    labels = labels_at(last.option.span, sets_phrase(last.rule, last.value))
    for other in others:
        labels += labels_at(other.option.span, sets_phrase(other.rule, other.value))
    number = {2: "two", 3: "three"}.get(len(settings), str(len(settings)))
    get = "gets" if len(parameters) == 1 else "get"
    tied = next((p for p in parameters if p.tied), None)
    notes = (f"{quoted_list(tied.names)} are names of one tied tensor",) if tied is not None else ()
    help, edits = _way_out(context, key, [setting.rule for setting in settings])
    return Finding(
        CODE,
        f"{count_phrase(parameters)} {get} {number} values of `{key}`",
        labels,
        context.names(parameters),
        notes=notes,
        help=help,
        edits=edits if tied is None else (),
    )


def _way_out(context: Context, key: str, rules: list[Rule]) -> tuple[str, tuple[Edit, ...]]:
    """The help, and an edit if one rule is clearly an exception to all others: without `override`,
    its option would have no effect."""
    if sum(rule.override for rule in rules) > 1:
        return "only one `override` can apply to a parameter: remove it from the others", ()
    if all(rule.split is not None for rule in rules):
        return f"set `{key}` in only one of the splits, or multiply it: `{key}*=...`", ()
    top = [rule for rule in rules if rule.split is None and not _clashes(context, rule)]
    if not top:
        out = "exclude these parameters from all rules but one"
        return f"{out}: `... and not ({selector_text_of(rules[0])}) -> ...`", ()
    exception = next((rule for rule in top if _is_exception(context, rule, rules)), None)
    if exception is not None:
        help = f"let the narrower rule win: `override {_selected(exception)} -> ...`"
        return help, _overriding(exception)
    words = " or ".join(f"`override {_selected(rule)} -> ...`" for rule in top)
    help = f"choose which one applies: {words}"
    if _else_leaves_some(context, rules):
        help += f"; or limit the last to what is left: `else {_selected(rules[-1])} -> ...`"
    return help, ()


def _selected(rule: Rule) -> str:
    """The text before the arrow of a rule, without `override`."""
    return f"{'else ' * rule.otherwise}{selector_text_of(rule)}".strip()


def _is_exception(context: Context, rule: Rule, rules: list[Rule]) -> bool:
    own = context.matched[id(rule)]
    others = (context.matched[id(other)] for other in rules if other is not rule)
    return all(own < other for other in others)


def _clashes(context: Context, rule: Rule) -> bool:
    """Whether the rule, as an `override`, would conflict with existing overrides."""
    for first, *_ in context.assignment.treated_alike:
        own = {s.option.key: s.value for s in first.settings if s.rule is rule}
        for setting in first.settings:
            key = setting.option.key
            if setting.rule.override and key in own and not same(own[key], setting.value):
                return True
    return False


def _overriding(rule: Rule) -> tuple[Edit, ...]:
    if rule.span is None or rule.selector is None or rule.selector.span is None:
        return ()
    source, start = rule.span.source, rule.selector.span.start
    if rule.otherwise:
        start = source.text.rindex("else", rule.span.start, start)
    return (Edit(Span(source, start, start), "override "),)


def _else_leaves_some(context: Context, rules: list[Rule]) -> bool:
    """Whether the last rule, with `else`, would match some parameters and none in conflict."""
    last = rules[-1]
    if last.otherwise or last.override or last.selector is None:
        return False
    earlier: set[int] = set()
    for rule in context.rules.rules:
        if rule is last:
            break
        if rule.split == last.split:
            earlier |= context.matched[id(rule)]
    own = context.matched[id(last)]
    shared = own.intersection(*(context.matched[id(rule)] for rule in rules))
    return bool(own - earlier) and shared <= earlier
