r"""An anchor applies only to the first alternative of a regex.

`^a|b` matches `a` at the beginning or `b` anywhere; `^(a|b)` matches either at the beginning.

    /^backbone\..*norm|bn/   -> norm lr*=0.1     # bad: every `bn` of the heads, too
    /^backbone\..*(norm|bn)/ -> norm lr*=0.1     # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.literal_parts import branches
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR309", "anchor-of-one-branch", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each regex `^a|b` whose `b` matches names that do not begin like `^a`."""
    for rule in context.rules.rules:
        for regex in _regexes(rule.selector):
            top = [b for b in branches(regex.pattern) if b[2] == 0 and b[3] == len(regex.pattern)]
            texts = [regex.pattern[start:end] for start, end, *_ in top]
            if len(texts) < 2 or not texts[0].startswith("^") or texts[1].startswith("^"):
                continue
            prefix = re.match(r"\^(?:\w|\\\.)+", texts[0])
            outside = _outside(context, rule, regex, prefix.group() if prefix else texts[0])
            if outside:
                yield _finding(rule, regex, texts, outside)


def _regexes(selector: tree.Selector | None) -> Iterator[tree.Regex]:
    if isinstance(selector, tree.Regex):
        yield selector
    elif isinstance(selector, tree.Or | tree.And):
        for operand in selector.operands:
            yield from _regexes(operand)


def _outside(context: Context, rule: Rule, regex: tree.Regex, prefix: str) -> list[str]:
    begins = re.compile(prefix)
    names = (parameter.name for parameter in context.taken(rule, regex))
    return [name for name in names if not begins.search(name)]


def _finding(rule: Rule, regex: tree.Regex, texts: list[str], outside: list[str]) -> Finding:
    head, _, last = texts[0].rpartition(".*")
    tail = "|".join([last, *texts[1:]])
    better = f"/{head}.*({tail})/" if head else f"/^({'|'.join([texts[0][1:], *texts[1:]])})/"
    return Finding(
        CODE,
        f"the anchor `^` applies only to the first alternative: `{texts[1]}` matches anywhere, in"
        f" {count_phrase(outside, 'name')} such as `{outside[0]}`",
        labels_at(regex.span or rule.span),
        tuple(outside),
        help=f"put the alternatives in parentheses: `{better}`",
        candidates=((Edit(regex.span, better),),) if regex.span is not None else (),
    )
