"""A glob ends after the first digit of a number.

`layers.1*` is meant for layer 1, but also matches layers 10 to 19.

    layers.1*  -> second lr=0.1                 # bad
    layers.1.* -> second lr=0.1                 # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from grouper.checks.context import Context
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.model.inventory import Parameter
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at

CODE = Code("GR308", "number-cut-short", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each pattern with an open-ended number that also matches longer numbers."""
    for rule in context.rules.rules:
        for pattern in _patterns(rule.selector):
            for prefix, digits, better in _cut(pattern):
                numbers = _numbers(context.taken(rule, pattern), prefix, digits)
                if re.fullmatch(r"\d+", digits) and digits not in numbers:
                    continue
                if any(len(number) > 1 for number in numbers) and len(numbers) > 1:
                    yield _finding(rule, pattern, prefix, digits, better, sorted(numbers, key=int))


def _patterns(selector: tree.Selector | None) -> Iterator[tree.Selector]:
    """Every glob, regex and `in` path of a selector outside of `not`."""
    in_path = isinstance(selector, tree.Within) and isinstance(selector.module, tree.Glob)
    if isinstance(selector, tree.Glob | tree.Regex) or (in_path and selector is not None):
        yield selector
    elif isinstance(selector, tree.Or | tree.And):
        for operand in selector.operands:
            yield from _patterns(operand)


def _cut(pattern: tree.Selector) -> Iterator[tuple[str, str, str]]:
    """The text before an open-ended number, the number as a regex, and the corrected pattern."""
    text = pattern.span.text if pattern.span is not None else ""
    if isinstance(pattern, tree.Regex):
        ends = re.search(r"(?:^\^|\\\.)((?:\w+\\?\.)+)(\d+)$", pattern.pattern)
        if ends is not None and "|" not in pattern.pattern:
            prefix = ends.group(1).replace("\\", "")
            yield prefix, ends.group(2), f"/{pattern.pattern}\\./"
        return
    glob = pattern.module if isinstance(pattern, tree.Within) else pattern
    pieces = glob.pieces if isinstance(glob, tree.Glob) else ()
    for index, (piece, following) in enumerate(pairwise(pieces)):
        if not isinstance(following, tree.Star):
            continue
        before = pieces[index - 1] if index else None
        if isinstance(piece, tree.Text) and (ends := re.search(r"(^|.*\.)(\d+)$", piece.text)):
            prefix, digits = ends.groups()
            end = ".*" if isinstance(pattern, tree.Glob) else ""
            if prefix:
                yield (
                    prefix,
                    digits,
                    text.replace(f"{prefix}{digits}*", f"{prefix}{digits}{end}", 1),
                )
        elif _is_digits(piece) and isinstance(before, tree.Text) and before.text.endswith("."):
            (first, last), *_ = piece.ranges  # type: ignore[union-attr]
            better = text.replace(f"[{first}-{last}]*", f"{{{first}..{last}}}.*", 1)
            yield before.text, f"[{first}-{last}]", better


def _is_digits(piece: tree.Piece) -> bool:
    """Whether a piece is one digit, such as `[0-9]`."""
    return (
        isinstance(piece, tree.CharacterClass)
        and not piece.negated
        and len(piece.ranges) == 1
        and all(end.isdigit() for end in piece.ranges[0])
    )


def _numbers(taken: list[Parameter], prefix: str, digits: str) -> set[str]:
    pattern = re.compile(rf"(?:^|\.){re.escape(prefix)}({digits}\d*)\.")
    names = (parameter.name for parameter in taken)
    return {match.group(1) for name in names if (match := pattern.search(name)) is not None}


def _finding(
    rule: Rule, pattern: tree.Selector, prefix: str, digits: str, better: str, numbers: list[str]
) -> Finding:
    text = pattern.span.text if pattern.span is not None else f"{prefix}{digits}*"
    longer = ", ".join(f"`{prefix}{n}`" for n in numbers if n != digits and len(n) > 1)
    meant = f"`{prefix}{digits}`" if digits.isdigit() else "numbers of one digit"
    return Finding(
        CODE,
        f"`{text}` matches not only {meant}, but also {longer}",
        labels_at(pattern.span or rule.span),
        help=f"end the number with a dot: `{better}`; a range is `{{{numbers[0]}..{numbers[-1]}}}`",
        candidates=((Edit(pattern.span, better),),) if pattern.span is not None else (),
    )
