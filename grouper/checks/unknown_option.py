"""An optimizer has no such option, or does not read it where it stands.

torch's optimizers take any key in a parameter group without a word, so an option of another
optimizer, or a misspelt one, is simply not used. Keys like no option of torch are left alone in
rules: schedulers, hooks or optimizers of one's own may read them. The `optimizer` statement goes to
the constructor, which takes nothing but its own options.

    optimizer SGD lr=0.01 betas=(0.9, 0.999)     # bad: SGD has `momentum`
    optimizer SGD lr=0.01 momentum=0.9           # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, GroupOption, all_names, rule_name
from grouper.findings import Code, Edit, Finding, Severity, labels_at
from grouper.language.ruleset import Optimizer, Rule
from grouper.language.syntax import tree
from grouper.options.misspelt import misspelt, torch_options
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.signatures import Signature, torch_signatures
from grouper.text.similar import near, similar
from grouper.text.source import Span

CODE = Code("GR201", "unknown-option", Severity.ERROR, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each option of a statement, and for each of a rule and optimizer."""
    for name, declared in facts.optimizers.items():
        signature = facts.signatures.get(name)
        if signature is not None and not signature.open:
            for key in declared.options:
                if key not in signature.constructor and not _said(facts, key):
                    yield _in_statement(declared, key, signature)
    yield from _alone(facts) if facts.alone else _in_groups(facts)


def known(facts: Context) -> bool:
    """Whether every optimizer is known, so that this check knows better than likeness."""
    return bool(facts.optimizers) and set(facts.optimizers) <= set(facts.signatures)


def _said(facts: Context, key: str) -> bool:
    """Whether a misspelt option is reported as such, where not all optimizers are known."""
    return not known(facts) and misspelt(key) is not None


def _unused(key: str, signature: Signature) -> bool:
    """Whether a group's key is meant for an optimizer, and this one does not read it."""
    if key in PLAN_KEYS or key == "optimizer" or key in (signature.group or ()):
        return False
    if signature.group is None:
        return key not in signature.constructor and misspelt(key) is not None
    return key in (*signature.constructor, *torch_options()) or misspelt(key) is not None


def _in_groups(facts: Context) -> Iterator[Finding]:
    found: dict[tuple[int, str], list[GroupOption]] = {}
    for group in facts.grouping.groups:
        signature = facts.signatures.get(group.optimizer or "")
        if signature is None:
            continue
        for asked in facts.asked[group.name]:
            key = asked.setting.option.key
            if _unused(key, signature) and not _said(facts, key):
                found.setdefault((id(asked.setting.option), group.optimizer or ""), []).append(
                    asked
                )
    for (_, name), every in found.items():
        setting = every[0].setting
        parameters = [p for asked in every for p in asked.parameters]
        yield _in_rule(facts, name, setting.rule, setting.option, all_names(parameters))


def _alone(facts: Context) -> Iterator[Finding]:
    """What no optimizer could read to which the rule's parameters may go."""
    for rule in facts.rules.rules:
        chosen = next((option for option in rule.options if option.key == "optimizer"), None)
        word = getattr(chosen.value, "name", getattr(chosen.value, "value", "")) if chosen else None
        homes = [str(word)] if word in facts.optimizers else list(facts.optimizers)
        signatures = [facts.signatures.get(home) for home in homes]
        for option in rule.options:
            unused = [s is not None and _unused(option.key, s) for s in signatures]
            meant = option.operator != "flag" and not _said(facts, option.key)
            if meant and unused and all(unused):
                yield _in_rule(facts, homes[0], rule, option, ())


def _in_statement(declared: Optimizer, key: str, signature: Signature) -> Finding:
    span = declared.spans.get(key)
    place = Span(span.source, span.start, span.start + len(key)) if span else declared.span
    best = () if _takers(key) else near(key, signature.constructor, limit=1)
    edits = (Edit(place, best[0]),) if best and place and place.text == key else ()
    return Finding(
        CODE,
        f"`{declared.name}` has no option `{key}`",
        labels_at(place),
        notes=_others(key),
        help=_instead(key, declared.name, signature),
        edits=edits,
    )


def _in_rule(
    facts: Context, name: str, rule: Rule, option: tree.Option, parameters: tuple[str, ...]
) -> Finding:
    signature, declared = facts.signatures[name], facts.optimizers[name]
    key = option.key
    labels = labels_at(option.key_span) + labels_at(
        declared.span, "the optimizer of its parameters"
    )
    if key in signature.constructor:
        return Finding(
            CODE,
            f"`{declared.name}` does not read `{key}`, which {rule_name(rule)} sets, from a group",
            labels,
            parameters,
            help=f"set it for the whole optimizer: `optimizer {declared.name} {key}=...`",
        )
    best = () if _takers(key) else near(key, (*signature.options, *PLAN_KEYS), limit=1)
    return Finding(
        CODE,
        f"`{declared.name}` has no option `{key}`, which {rule_name(rule)} sets",
        labels,
        parameters,
        notes=_others(key),
        help=_instead(key, declared.name, signature, PLAN_KEYS),
        edits=(Edit(option.key_span, best[0]),) if best and option.key_span else (),
    )


def _takers(key: str) -> list[str]:
    return [name for name, other in torch_signatures().items() if key in other.options]


def _others(key: str) -> tuple[str, ...]:
    takers = _takers(key)
    return (f"`{key}` is an option of {', '.join(takers)}",) if takers else ()


def _instead(key: str, name: str, signature: Signature, more: tuple[str, ...] = ()) -> str:
    listed = f"`{name}` takes {', '.join(f'`{option}`' for option in signature.constructor)}"
    if _takers(key):
        return listed
    return similar("option", key, (*signature.options, *more)) or listed
