"""An `allow` accepts a finding that there is not, or names no finding at all.

The fault that it was written for is gone, so it can go, too.

    allow GR105                       # bad where every rule matches something
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from grouper.checks.context import Context
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.language.syntax import tree
from grouper.match.compile_selector import compile_selector
from grouper.text.similar import similar

CODE = Code("GR112", "unused-allow", Severity.WARNING, __doc__ or "")


def apply(
    facts: Context, findings: Iterable[Finding], known: Iterable[Code]
) -> tuple[Finding, ...]:
    """The findings without those that the file accepts, and one for each idle `allow`."""
    left = list(findings)
    words = {word for code in known for word in (code.id, code.name)}
    idle = []
    for allow in facts.rules.allows:
        if allow.code not in words:
            idle.append(_finding(allow, f"there is no finding `{allow.code}`", words))
            continue
        before = left
        left = [kept for f in before if (kept := _without(f, allow, facts)) is not None]
        if left == before:
            idle.append(_finding(allow, f"`allow {allow.code}` accepts nothing", ()))
    return (*left, *idle)


def _without(finding: Finding, allow: tree.Allow, facts: Context) -> Finding | None:
    if allow.code not in (finding.code.id, finding.code.name):
        return finding
    selector = allow.selector
    if selector is None:
        return None
    by_name = facts.inventory.by_name
    accepts = compile_selector(selector, facts.inventory, facts.rules.variables)
    kept = tuple(
        name for name in finding.parameters if not accepts(by_name[name.split(" = ")[0]]).truth
    )
    if len(kept) == len(finding.parameters):
        return finding
    if not kept:
        return None
    rest = f"{len(kept)} of {len(finding.parameters)} parameters are not accepted by `allow`"
    return replace(finding, parameters=kept, notes=(*finding.notes, rest))


def _finding(allow: tree.Allow, message: str, words: Iterable[str]) -> Finding:
    help = similar("finding", allow.code, words) or "remove it"
    return Finding(CODE, message, labels_at(allow.span), help=help)
