"""An `allow` accepts nothing, or its code does not exist.

The finding that it was written for is gone, so it can be removed. This is a note, since another
model may still have the finding, and it is not reported in a file for several models (an included
one, one with several `for`, or one with `optional` rules). An unknown code is a warning.

    allow GR105                       # bad if every rule matches something
"""

from __future__ import annotations

from collections.abc import Iterable

from grouper.checks import expectation, matches_no_name, possible_conflict, unreached_lr
from grouper.checks.context import Context
from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.match.answers import Test
from grouper.match.compile_selector import compile_selector
from grouper.text.dataclass import replace
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.similar import did_you_mean

# Findings about a run or about rules alone, never about a model.
_OF_OTHERS = (unreached_lr.CODE, matches_no_name.CODE, possible_conflict.CODE)
CODE = Code("GR112", "unused-allow", Severity.WARNING, __doc__ or "")


def without_allowed(
    context: Context, findings: Iterable[Finding], known: Iterable[Code]
) -> tuple[Finding, ...]:
    """The findings that the file does not accept, and one for each unused `allow`."""
    remaining = list(findings)
    words = {word for code in known for word in (code.id, code.name)}
    unused = []
    for allow in context.rules.allows:
        if allow.code not in words:
            unused.append(_finding(allow, f"there is no finding `{allow.code}`", words))
            continue
        before = remaining
        remaining = _without(before, allow, context)
        if remaining == before and not _may_be_unused(context.rules, allow):
            message = f"`allow {allow.code}` accepts no finding for this model"
            unused.append(replace(_finding(allow, message, ()), severity_override=Severity.NOTE))
    return (*remaining, *unused)


def _may_be_unused(rules: RuleSet, allow: tree.Allow) -> bool:
    """Whether an `allow` may be meant for another model, for a run, or for rules alone."""
    if any(allow.code in (code.id, code.name) for code in _OF_OTHERS):
        return True
    if allow.code in (expectation.CODE.id, expectation.CODE.name):
        return any(map(expectation.of_plan, rules.expects))
    included = allow.span is not None and allow.span.source.path != rules.path
    return included or len(rules.models) > 1 or any(rule.optional for rule in rules.rules)


def _without(findings: list[Finding], allow: tree.Allow, context: Context) -> list[Finding]:
    accepts = None
    if allow.selector is not None:
        accepts = compile_selector(allow.selector, context.inventory, context.rules.variables)
    remaining = []
    for finding in findings:
        if allow.code not in (finding.code.id, finding.code.name):
            remaining.append(finding)
        elif accepts is not None:
            remaining += _not_accepted(finding, accepts, context)
    return remaining


def _not_accepted(finding: Finding, accepts: Test, context: Context) -> list[Finding]:
    """The finding with the parameters that are not accepted; none if all are accepted."""
    by_name = context.inventory.by_name
    names = tuple(
        name for name in finding.parameters if not accepts(by_name[name.split(" = ")[0]]).truth
    )
    if len(names) == len(finding.parameters):
        return [finding]
    note = f"{len(names)} of {len(finding.parameters)} tensors are not accepted by `allow`"
    return [replace(finding, parameters=names, notes=(*finding.notes, note))] if names else []


def _finding(allow: tree.Allow, message: str, words: Iterable[str]) -> Finding:
    help = did_you_mean(allow.code, words) or "remove it"
    return Finding(CODE, message, labels_at(allow.span), help=help)
