"""A captured number counts two lists of modules at once.

`*.layers.{i}.*` matches the layers of an encoder and of a decoder, or of two towers. Layer 3 of one
gets the same lr as layer 3 of the other, although their depths differ.

    *.layers.{i}.* -> layer{i} lr*=0.9 ** (count(i) - i)             # bad with two towers
    vision.layers.{i}.* -> vision{i} lr*=0.9 ** (count(i) - i)       # good
    text.layers.{k}.*   -> text{k}   lr*=0.9 ** (count(k) - k)
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.literal_parts import globs_of
from grouper.language.resolve.walk import captures, words
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import quoted_list

CODE = Code("GR314", "captures-of-two-lists", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule whose only capture is used in a value and counts lists of different
    lengths."""
    for rule in context.rules.rules:
        names = captures(rule.selector)
        used = {w.name for o in rule.options for w, _ in words(o.value)} & names
        globs = list(globs_of(rule.selector))
        if len(used) != 1 or len(names) != 1 or len(globs) != 1:
            continue
        capture = used.pop()
        lists = _lists(context, rule, capture)
        lengths = {len(numbers) for numbers in lists.values()}
        if len(lists) > 1 and len(lengths) > 1:
            yield _finding(rule, globs[0], capture, lists)


def _lists(context: Context, rule: Rule, capture: str) -> dict[str, set[int]]:
    """The paths before the captured number, each with the numbers found there."""
    lists: dict[str, set[int]] = {}
    for assigned in context.assignment.parameters:
        for match in assigned.matches:
            if match.rule is rule and capture in match.captures:
                number = match.captures[capture]
                parts = match.name_of(assigned.parameter).split(".")
                places = [i for i, part in enumerate(parts) if part == str(number)]
                if len(places) == 1:
                    lists.setdefault(".".join(parts[: places[0]]), set()).add(number)
    return lists


def _finding(rule: Rule, glob: tree.Glob, capture: str, lists: dict[str, set[int]]) -> Finding:
    lengths = ", ".join(f"`{path}` has {len(n)}" for path, n in list(lists.items())[:3])
    better = quoted_list(f"{path}.{{{capture}}}.*" for path in list(lists)[:2])
    return Finding(
        CODE,
        f"`{{{capture}}}` counts {len(lists)} lists of modules of different lengths: {lengths}",
        labels_at(glob.span or rule.span),
        help=f"write one rule for each list, with different capture names: {better}",
    )
