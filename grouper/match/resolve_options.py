"""The second pass: each parameter's options, from the rules that match it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from grouper.language.expressions import as_number
from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.match import codes
from grouper.match.assignment import (
    Assignment,
    Combination,
    Decision,
    Given,
    Match,
    Matches,
    ParameterAssignment,
    Setting,
)
from grouper.match.label_totals import label_text
from grouper.match.option_values import (
    OptionValues,
    Problem,
    option_values,
    used_words,
    uses_base,
    uses_facts,
)
from grouper.model.inventory import Parameter
from grouper.options.read_only import ReadOnly
from grouper.options.values import Value, quoted_value, same, value_key
from grouper.text.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class _Resolved:
    """What the rules decide for a parameter and all others like it."""

    decision: Decision
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Uses:
    """What the options and labels of a combination's rules use of a parameter: captured numbers (by
    their places), facts, its name."""

    places: tuple[int, ...]
    facts: bool
    name: bool


def resolve_options(matches: Matches) -> Assignment:
    """Each parameter's options. Never raises: a value that fails is a finding, and left out.

    Parameters with the same rules, and the same captures, shape and dtype where values depend on
    them, are resolved once.
    """
    values = option_values(matches)
    uses_of: dict[int, _Uses] = {}
    resolved: dict[object, _Resolved] = {}
    problems: dict[object, tuple[Problem, list[Parameter]]] = {}
    decisions = []
    for parameter, combination, numbers in zip(
        matches.inventory.parameters, matches.combinations, matches.captured, strict=True
    ):
        uses = uses_of.get(id(combination))
        if uses is None:
            uses = uses_of[id(combination)] = _uses(combination)
        key = (
            id(combination),
            parameter.trainable is False,
            tuple([numbers[place] for place in uses.places]) if uses.places else (),
            (parameter.shape, parameter.dtype) if uses.facts else None,
            parameter.name if uses.name else None,
        )
        found = resolved.get(key)
        if found is None:
            found = resolved[key] = _resolve(parameter, combination, numbers, values)
        decisions.append(found.decision)
        for problem in found.problems:
            problems.setdefault(problem.key, (problem, []))[1].append(parameter)
    return Assignment(
        matches.rules,
        matches.inventory,
        tuple(map(ParameterAssignment, matches.inventory.parameters, matches.captured, decisions)),
        matches.unanswered,
        tuple(problem.finding(failing) for problem, failing in problems.values()),
    )


def _uses(combination: Combination) -> _Uses:
    rules = combination.rules
    places = [
        place
        for rule, captures in zip(rules, combination.places, strict=True)
        for name, place in captures
        if name in used_words(rule)
    ]
    return _Uses(
        tuple(dict.fromkeys(places)), any(map(uses_facts, rules)), any(map(uses_base, rules))
    )


def _resolve(
    parameter: Parameter, combination: Combination, numbers: tuple[str, ...], values: OptionValues
) -> _Resolved:
    rules, matches = values.rules, combination.matches(numbers)
    frozen = parameter.trainable is False or any(match.rule.freezes for match in matches)
    first = [v for m in matches for v in values.given(m, parameter, None, False)]
    lr = _options([g for g in first if isinstance(g, Given)], rules)[0].get("lr")
    last = [v for m in matches for v in values.given(m, parameter, lr, True)]
    written = {
        id(option): at for at, option in enumerate(o for m in matches for o in m.rule.options)
    }
    given = [value for value in (*first, *last) if isinstance(value, Given)]
    given.sort(key=lambda one: written[id(one.option)])
    problems = [value for value in (*first, *last) if isinstance(value, Problem)]
    options, values_of, conflicts, failed = _options(given, rules)
    uncovered, overlapping = ((), ()) if frozen else _coverage(matches, rules)
    decision = Decision(
        combination,
        tuple(Setting(*g, effective=_is_effective(g, values_of)) for g in given),
        _labels(matches),
        ReadOnly(options),
        uncovered,
        overlapping,
        conflicts,
        frozen,
    )
    # What is frozen uses its options only once it is unfrozen: until then none of them is wrong.
    return _Resolved(decision, () if frozen else (*problems, *failed))


def _options(
    given: list[Given], rules: RuleSet
) -> tuple[dict[str, Value], dict[str, Value], tuple[str, ...], list[Problem]]:
    """The final options, the values that rules set, the options in conflict, and what failed."""
    values, conflicts = _choose(g for g in given if g.option.operator == "=")
    factors = [g for g in given if g.option.operator == "*="]
    base = {**_defaults(values.get("optimizer"), rules), **values}
    options, failed = _multiplied(base, factors, rules)
    return options, values, conflicts, failed


def _choose(given: Iterable[Given]) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The value of each option, and the options over which rules disagree."""
    by_key: dict[str, list[Given]] = {}
    for one in given:
        by_key.setdefault(one.option.key, []).append(one)
    values: dict[str, Value] = {}
    conflicts = []
    for key, several in by_key.items():
        distinct = _distinct(several)
        if len(distinct) > 1:
            distinct = _distinct(g for g in several if g.rule.override) or distinct
        if len(distinct) > 1:
            conflicts.append(key)
        else:
            values[key] = distinct[0]
    return values, tuple(conflicts)


def _distinct(given: Iterable[Given]) -> list[Value]:
    first: dict[object, Value] = {}
    for one in given:
        first.setdefault(value_key(one.value), one.value)
    return list(first.values())


def _is_effective(given: Given, values: Mapping[str, Value]) -> bool:
    key = given.option.key
    return given.option.operator == "*=" or (key in values and same(values[key], given.value))


def _multiplied(
    options: dict[str, Value], factors: list[Given], rules: RuleSet
) -> tuple[dict[str, Value], list[Problem]]:
    by_key: dict[str, list[Given]] = {}
    for factor in factors:
        by_key.setdefault(factor.option.key, []).append(factor)
    products: dict[str, Value] = {}
    problems = []
    for key, several in by_key.items():
        option = several[0].option
        base = options.get(key, plan_default(key, rules))
        if isinstance(base, bool) or not isinstance(base, int | float):
            problems.append(_nothing_to_multiply(option, base))
            continue
        numbers = [as_number(factor.value, factor.option) for factor in several]
        try:
            # In one order, whatever the order of the rules.
            products[key] = as_number(prod(sorted(numbers), start=base), option)
        except BadValue as error:
            place, help = option.span, "use smaller factors"
            problems.append(Problem(codes.BAD_RESULT, option, place, error.message, help))
            products[key] = None
    return {**options, **products}, problems


def _nothing_to_multiply(option: tree.Option, base: Value) -> Problem:
    why = "nothing sets it" if base is None else f"it is {quoted_value(base)}"
    return Problem(
        codes.NOTHING_TO_MULTIPLY,
        option,
        option.span,
        f"`{option.key}*=` has no number to multiply: {why}",
        f"set `{option.key}=` in another rule or in the `optimizer` statement",
    )


def _defaults(name: Value, rules: RuleSet) -> Mapping[str, Value]:
    """The options of the optimizer that the parameter goes to: the first one, or that named."""
    if isinstance(name, str):
        optimizer = rules.optimizers_by_name.get(name)
    else:
        optimizer = rules.optimizers[0] if rules.optimizers else None
    return optimizer.options if optimizer else {}


def plan_default(key: str, rules: RuleSet) -> Value:
    """What the `warmup` and `schedule` statements set for an option of the plan."""
    if key == "final":
        final = rules.schedule.options.get("final") if rules.schedule else None
        return None if isinstance(final, tree.Node) else final
    warmup = rules.warmup
    if warmup is None or not key.startswith("warmup_"):
        return None
    values: Mapping[str, Value] = {
        "warmup_start": None if isinstance(warmup.start, tree.Node) else warmup.start,
        "warmup_epochs": warmup.epochs,
        "warmup_steps": warmup.steps,
        "warmup_momentum": warmup.momentum,
    }
    return values.get(key)


def _coverage(
    matches: tuple[Match, ...], rules: RuleSet
) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """The blocks of which no rule matches, and the splits of which several do."""
    counts: dict[str | None, int] = {}
    for match in matches:
        counts[match.rule.split] = counts.get(match.rule.split, 0) + 1
    if not rules.splits:
        return (() if matches else (None,)), ()
    uncovered = tuple(name for name in rules.splits if name not in counts)
    return uncovered, tuple(name for name in rules.splits if counts.get(name, 0) > 1)


def _labels(matches: tuple[Match, ...]) -> tuple[str, ...]:
    labels: dict[str, None] = {}
    for match in matches:
        if match.rule.label is not None:
            labels[label_text(match.rule.label, match)] = None
    return tuple(labels)
