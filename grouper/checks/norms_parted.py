"""Some norms decay, although a rule exempts norms from decay.

The rule selects norms by a word in their names, but some norms have other names. Select them by
class.

    *bn*  -> norm   weight_decay=0           # bad on a ResNet, whose shortcuts' norms are
    else  -> weight weight_decay=1e-4        # called `downsample.1`

    @*Norm* -> norm   weight_decay=0         # good
    else    -> weight weight_decay=1e-4
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.context import Context, rule_name
from grouper.checks.module_kinds import Kind, last_part
from grouper.checks.rule_edits import also_selecting, with_selector, without_else
from grouper.checks.trained import Trained, most_common_rule, place_of
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.match.globs import literal_start
from grouper.text.findings import Code, Finding, Fix, Severity
from grouper.text.printable import count_phrase, quoted_list

CODE = Code("GR301", "norms-parted", Severity.WARNING, __doc__ or "")

ROLES = ("weight", "scale", "gamma", "g")
MOST_MATRICES = 0.2  # of the parameters of a rule for norms and vectors


def check(context: Context) -> Iterator[Finding]:
    """One finding for the first rule that exempts some norms from decay and misses others."""
    norms = [
        one
        for one in context.trained
        if one.kind is Kind.NORM
        and last_part(one.name) in ROLES
        and one.parameter.ndim in (None, 1)
    ]
    by_rule: dict[int, tuple[Rule, list[Trained]]] = {}
    for one in norms:
        setting = one.setting("weight_decay")
        if one.number("weight_decay") == 0 and setting is not None:
            by_rule.setdefault(id(setting.rule), (setting.rule, []))[1].append(one)
    is_reported = False
    for rule, exempt in by_rule.values():
        decaying = [one for one in norms if (one.number("weight_decay") or 0) > 0]
        decaying = [one for one in decaying if _in_reach(context, rule, one)]
        if decaying and not is_reported and _is_for_vectors(context, rule):
            is_reported = True
            yield _finding(context, rule, exempt, decaying)


def _is_for_vectors(context: Context, rule: Rule) -> bool:
    """Whether few of the parameters that a rule matches are ordinary matrices."""
    members = context.members[id(rule)]
    return sum(map(context.kinds.is_matrix, members)) <= MOST_MATRICES * len(members)


def _in_reach(context: Context, rule: Rule, one: Trained) -> bool:
    """Whether a norm is in the part of the model that the rule is for."""
    return rule.selector is None or _place_has(context, rule.selector, one)


def _place_has(context: Context, selector: tree.Selector, one: Trained) -> bool:
    name = one.name
    if isinstance(selector, tree.Glob):
        start = literal_start(selector).rpartition(".")[0]
        return not start or name.startswith(f"{start}.")
    if isinstance(selector, tree.Regex) and selector.pattern.startswith("^"):
        return name.startswith(_literal_of(selector.pattern[1:]))
    if isinstance(selector, tree.And):
        return all(_place_has(context, part, one) for part in selector.operands)
    if isinstance(selector, tree.Within):
        return id(one.parameter) in context.selected(selector)
    if isinstance(selector, tree.Or):
        return any(_place_has(context, part, one) for part in selector.operands)
    if isinstance(selector, tree.Not) and isinstance(selector.operand, tree.Within):
        return id(one.parameter) in context.selected(selector)
    return True


def _literal_of(pattern: str) -> str:
    """The literal prefix of a regex."""
    text, at = "", 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\" and pattern[at + 1 : at + 2] == ".":
            text, at = text + ".", at + 2
        elif character.isalnum() or character == "_":
            text, at = text + character, at + 1
        else:
            break
    quantified = at < len(pattern) and pattern[at] in "*?{+|"
    return text[:-1] if quantified else text


def _finding(
    context: Context, rule: Rule, exempt: Sequence[Trained], decaying: Sequence[Trained]
) -> Finding:
    setting = most_common_rule(decaying, "weight_decay")
    place = place_of(setting, "weight_decay", "decays them")
    sparing = place_of(rule, None, "exempts the others")
    first, other = decaying[0], exempt[0]
    classes = dict.fromkeys(context.kinds.class_name(one.parameter) for one in decaying)
    owners = quoted_list([name for name in classes if name][:3])
    kinds = ", ".join(dict.fromkeys(one.assigned.parameter.name for one in decaying[:3]))
    return Finding(
        CODE,
        f"{rule_name(rule)} exempts {count_phrase(exempt, 'norm')} from decay"
        f" (`{other.name}`) but misses {count_phrase(decaying, 'norm')}: `{first.name}`",
        place + sparing if setting is not None else sparing,
        tuple(one.name for one in decaying),
        notes=(f"the norms that decay: {kinds}",) if len(decaying) > 1 else (),
        help="select norms by their class, in a rule before the others:"
        f" `@*Norm* -> norm weight_decay=0`{f' (here {owners})' if owners else ''}",
        candidates=_candidates(rule, setting),
    )


def _candidates(rule: Rule, setting: Rule | None) -> tuple[Fix, ...]:
    place = _place_of(rule.selector)
    if place:
        return (with_selector(rule, f"in {place} and @*Norm*"),) if _is_only_norms(rule) else ()
    by_class = with_selector(rule, "@*Norm*") if _is_only_norms(rule) else ()
    bare = without_else(rule) if rule.otherwise and setting is None else ()
    return tuple(fix for fix in (bare, by_class, also_selecting(rule, "@*Norm*")) if fix)


def _place_of(selector: tree.Selector | None) -> str:
    """The literal path that all names of a selector begin with."""
    if isinstance(selector, tree.Glob):
        return literal_start(selector).rpartition(".")[0]
    if isinstance(selector, tree.Regex) and selector.pattern.startswith("^"):
        return _literal_of(selector.pattern[1:]).rpartition(".")[0]
    return ""


def _is_only_norms(rule: Rule) -> bool:
    text = rule.selector.span.text.lower() if rule.selector and rule.selector.span else ""
    return "bias" not in text and "ndim" not in text
