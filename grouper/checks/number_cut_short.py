"""A glob takes a number's first digit for the whole number.

`layers.1*` is meant for layer 1, and takes 10 to 19 as well.

    layers.1*  -> second lr=0.1                 # bad
    layers.1.* -> second lr=0.1                 # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.literal_parts import globs_of
from grouper.findings import Code, Edit, Finding, Severity, labels_at
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree

CODE = Code("GR308", "number-cut-short", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each glob in which a number ends at a `*` and takes longer numbers."""
    for rule in context.rules.rules:
        for glob in globs_of(rule.selector):
            taken = context.selected(glob) & context.matched[id(rule)]
            for prefix, digits in _cut(glob):
                found = _numbers(context, taken, prefix, digits)
                if digits in found and len(found) > 1:
                    yield _finding(rule, glob, prefix, digits, sorted(found, key=int))


def _cut(glob: tree.Glob) -> Iterator[tuple[str, str]]:
    """The text up to a number that a `*` follows, and the number."""
    for piece, following in zip(glob.pieces, glob.pieces[1:], strict=False):
        if isinstance(piece, tree.Text) and isinstance(following, tree.Star):
            ends = re.search(r"(^|.*\.)(\d+)$", piece.text)
            if ends is not None and ends.group(1):
                yield ends.group(1), ends.group(2)


def _numbers(context: Context, taken: frozenset[int], prefix: str, digits: str) -> set[str]:
    wanted = re.compile(rf"{re.escape(prefix)}({digits}\d*)\.")
    names = (p.name for p in context.inventory.parameters if id(p) in taken)
    return {found.group(1) for name in names if (found := wanted.search(name)) is not None}


def _finding(rule: Rule, glob: tree.Glob, prefix: str, digits: str, numbers: list[str]) -> Finding:
    text = glob.span.text if glob.span is not None else f"{prefix}{digits}*"
    better = text.replace(f"{prefix}{digits}*", f"{prefix}{digits}.*", 1)
    longer = ", ".join(f"`{prefix}{number}`" for number in numbers if number != digits)
    return Finding(
        CODE,
        f"`{text}` takes not only `{prefix}{digits}`, but {longer} as well",
        labels_at(glob.span or rule.span),
        help=f"end the number with a dot: `{better}`; a range is `{{{digits}..{numbers[-1]}}}`",
        candidates=((Edit(glob.span, better),),) if glob.span is not None else (),
    )
