"""An optimizer has no such option, or does not read it here.

torch's optimizers accept any key in a parameter group, so an option of another optimizer, a key of
another tool (`lr_mult`) or a misspelt one is silently unused. Keys for other readers of the groups
(hooks, a logger) are declared with `tag`. The options of the `optimizer` statement are passed to
the constructor, which accepts only its own.

    optimizer SGD lr=0.01 betas=(0.9, 0.999)     # bad: SGD has `momentum`
    optimizer SGD lr=0.01 momentum=0.9           # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks import foreign_key, foreign_option
from grouper.checks.context import Context, GroupOption, rule_name
from grouper.checks.foreign_key import translation
from grouper.checks.near_option import edit_in_rule, edit_in_statement
from grouper.language.ruleset import Optimizer, Rule, RuleSet
from grouper.language.syntax import tree
from grouper.options.misspelt import misspelt
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.signatures import Signature, torch_signatures
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import quoted_list
from grouper.text.similar import did_you_mean
from grouper.text.source import Span

CODE = Code("GR201", "unknown-option", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each unknown option of a statement, or of a rule and an optimizer."""
    for name, declared in context.optimizers.items():
        signature = context.signatures.get(name)
        if signature is not None and not signature.open:
            for key in declared.options:
                if key not in signature.constructor and not _is_misspelt(context, key):
                    yield _in_statement(context, declared, key, signature)
    yield from _of_rules(context) if context.without_model else _in_groups(context)


def _is_misspelt(context: Context, key: str) -> bool:
    """Whether GR030 already reports the option, as it does unless all optimizers are known."""
    return not context.knows_all_optimizers and misspelt(key) is not None


def _unused(key: str, signature: Signature, rules: RuleSet) -> bool:
    """Whether a group's key is not read. An optimizer of another package may read keys that are not
    in its signature, so for these only misspelt keys and keys of other tools count."""
    if key in PLAN_KEYS or key in ("optimizer", "freeze") or key in rules.tags:
        return False
    if signature.group is None:
        known = (*signature.constructor, *signature.defaults)
        return key not in known and (misspelt(key) or translation(key, rules)) is not None
    return key not in signature.group


def _in_groups(context: Context) -> Iterator[Finding]:
    unused: dict[tuple[int, str], list[GroupOption]] = {}
    for group in context.grouping.groups:
        signature = context.signatures.get(group.optimizer or "")
        if signature is None or context.in_conflict(group, "optimizer"):
            continue
        for option in context.group_options[group.name]:
            key = option.setting.option.key
            if _unused(key, signature, context.rules) and not _is_misspelt(context, key):
                entry = unused.setdefault((id(option.setting.option), group.optimizer or ""), [])
                entry.append(option)
    for (_, name), several in unused.items():
        setting = several[0].setting
        names = context.names(p for option in several for p in option.parameters)
        yield _in_rule(context, name, setting.rule, setting.option, names)


def _of_rules(context: Context) -> Iterator[Finding]:
    """Findings for options that no optimizer of the rule's parameters reads."""
    for rule in context.rules.rules:
        named = next((option for option in rule.options if option.key == "optimizer"), None)
        word = getattr(named.value, "name", getattr(named.value, "value", "")) if named else None
        names = [str(word)] if word in context.optimizers else list(context.optimizers)
        signatures = [context.signatures.get(name) for name in names]
        for option in rule.options:
            unused = [s is not None and _unused(option.key, s, context.rules) for s in signatures]
            is_option = option.operator != "flag" and not _is_misspelt(context, option.key)
            if is_option and unused and all(unused):
                yield _in_rule(context, names[0], rule, option, ())


def _in_statement(context: Context, declared: Optimizer, key: str, signature: Signature) -> Finding:
    span = declared.spans.get(key)
    place = Span(span.source, span.start, span.start + len(key)) if span else declared.span
    return Finding(
        CODE,
        f"`{declared.name}` has no option `{key}`",
        labels_at(place),
        notes=_others(key),
        help=_instead(context.rules, key, declared.name, signature),
        edits=foreign_option.edit_in_statement(declared, key)
        or edit_in_statement(declared, key, place, signature),
    )


def _in_rule(
    context: Context, name: str, rule: Rule, option: tree.Option, parameters: tuple[str, ...]
) -> Finding:
    signature, declared = context.signatures[name], context.optimizers[name]
    key = option.key
    labels = labels_at(option.key_span) + labels_at(
        declared.span, "the optimizer of its parameters"
    )
    if key in signature.constructor:
        return Finding(
            CODE,
            f"{rule_name(rule)} sets `{key}`, which `{declared.name}` does not read from a group",
            labels,
            parameters,
            help=f"set it for the whole optimizer: `optimizer {declared.name} {key}=...`",
        )
    return Finding(
        CODE,
        f"`{declared.name}` has no option `{key}`, which {rule_name(rule)} sets",
        labels,
        parameters,
        notes=_others(key),
        help=_instead(context.rules, key, declared.name, signature, PLAN_KEYS) + _as_tag(key),
        candidates=foreign_key.second_optimizer(context, option)
        + foreign_key.in_parentheses(context, option),
        edits=foreign_key.edit_in_rule(context.rules, rule, option)
        or edit_in_rule(context, rule, option, (*signature.options, *PLAN_KEYS)),
    )


def _as_tag(key: str) -> str:
    """How to declare a key that is not similar to any option of torch's optimizers."""
    known = _takers(key) or misspelt(key) is not None
    return "" if known else f"; if something else reads it, declare it: `tag {key}`"


def _takers(key: str) -> list[str]:
    return [name for name, other in torch_signatures().items() if key in other.options]


def _others(key: str) -> tuple[str, ...]:
    takers = _takers(key)
    return (f"`{key}` is an option of {', '.join(takers)}",) if takers else ()


def _instead(
    rules: RuleSet, key: str, name: str, signature: Signature, more: tuple[str, ...] = ()
) -> str:
    all_options = f"`{name}` takes {quoted_list(signature.constructor)}"
    foreign = translation(key, rules)
    if foreign is not None:
        return foreign.says
    if _takers(key):
        return all_options
    return did_you_mean(key, (*signature.options, *more)) or all_options
