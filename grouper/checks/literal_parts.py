"""The parts of a selector that match names (operands, alternatives, branches), and their words.

Each part is isolated from its selector or replaced in it, to determine what it contributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from grouper.language.syntax import tree
from grouper.text.dataclass import dataclass, replace
from grouper.text.source import Span

Build = Callable[[tree.Selector], tree.Selector]

# Parts of names that do not identify a module.
GENERIC = frozenset(
    (
        "weight", "bias", "layer", "layers", "block", "blocks", "model", "module", "encoder",
        "decoder", "backbone", "norm", "stage", "stages", "features", "base",
    )
)  # fmt: skip

STAR = tree.Glob((tree.Star(),))


@dataclass(frozen=True)
class Part:
    """A part of a selector that may match nothing while the whole selector matches.

    `alone` is the part as a selector of full names. `opened` is the whole selector with only this
    part, replaced by a wildcard. `in_list` is True for alternatives in braces and branches of a
    regex, which often cover a family of models.
    """

    alone: tree.Selector
    opened: tree.Selector
    text: str
    span: Span | None
    in_list: bool = False


def parts_of(selector: tree.Selector) -> Iterator[Part]:
    """Every operand of `or`, alternative in braces and branch of a regex outside of `not`."""
    yield from _parts(selector, lambda whole: whole)


def _parts(selector: tree.Selector, build: Build) -> Iterator[Part]:
    if isinstance(selector, tree.Or):
        for operand in selector.operands:
            if not isinstance(operand, tree.Or | tree.And | tree.Not):
                text = operand.span.text if operand.span is not None else ""
                yield Part(operand, build(STAR), text, operand.span)
            yield from _parts(operand, build)
    elif isinstance(selector, tree.And):
        for index, operand in enumerate(selector.operands):
            yield from _parts(operand, _in_and(selector, index, build))
    elif isinstance(selector, tree.Glob):
        yield from _alternatives(selector, build)
    elif isinstance(selector, tree.Regex):
        yield from _branches(selector, build)


def _in_and(selector: tree.And, index: int, build: Build) -> Build:
    def built(part: tree.Selector) -> tree.Selector:
        operands = list(selector.operands)
        operands[index] = part
        return build(tree.And(tuple(operands)))

    return built


def _alternatives(glob: tree.Glob, build: Build) -> Iterator[Part]:
    for index, piece in enumerate(glob.pieces):
        if not isinstance(piece, tree.Alternatives):
            continue
        before, after = glob.pieces[:index], glob.pieces[index + 1 :]
        for option in piece.options:
            alone = tree.Glob((*before, *option.pieces, *after))
            opened = build(tree.Glob((*before, tree.Star(), *after)))
            text = option.span.text if option.span is not None else _literal(option)
            yield Part(alone, opened, text, option.span or glob.span, in_list=True)


def _literal(glob: tree.Glob) -> str:
    return "".join(piece.text if isinstance(piece, tree.Text) else "*" for piece in glob.pieces)


def _branches(regex: tree.Regex, build: Build) -> Iterator[Part]:
    for start, end, first, last in branches(regex.pattern):
        whole = regex.pattern
        alone = tree.Regex(whole[:first] + whole[start:end] + whole[last:])
        opened = build(tree.Regex(f"{whole[:first]}.*{whole[last:]}"))
        yield Part(alone, opened, whole[start:end], regex.span, in_list=True)


def branches(pattern: str) -> Iterator[tuple[int, int, int, int]]:
    """The start and end of each branch of a regex, and those of its whole alternation."""
    stack: list[list[int]] = [[0]]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 1
        elif character == "[":
            at = _class_end(pattern, at)
        elif character == "(":
            head = re.match(r"\(\?(?:P<\w+>|[:=!]|<[=!])", pattern[at:])
            at += len(head.group()) - 1 if head else 0
            stack.append([at + 1])
        elif character == ")" and len(stack) > 1:
            yield from _closed(stack.pop(), at)
        elif character == "|":
            stack[-1].append(at + 1)
        at += 1
    yield from _closed(stack[0], len(pattern))


def _closed(starts: list[int], end: int) -> Iterator[tuple[int, int, int, int]]:
    if len(starts) > 1:
        ends = [start - 1 for start in starts[1:]] + [end]
        for start, stop in zip(starts, ends, strict=True):
            yield start, stop, starts[0], end


def _class_end(pattern: str, at: int) -> int:
    end = at + 1
    if pattern[end : end + 1] == "^":
        end += 1
    if pattern[end : end + 1] == "]":
        end += 1
    while end < len(pattern) and pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end


def words_of(text: str) -> tuple[str, ...]:
    """The literal words in a pattern."""
    bare = text.replace("\\.", ".")
    return tuple(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", bare))


def globs_of(selector: tree.Selector | None) -> Iterator[tree.Glob]:
    """Every glob of names outside of `not`."""
    if isinstance(selector, tree.Glob):
        yield selector
    elif isinstance(selector, tree.Or | tree.And):
        for operand in selector.operands:
            yield from globs_of(operand)


def one_word(glob: tree.Glob) -> str | None:
    """The word of a glob `*word*`; None for other globs."""
    match glob.pieces:
        case (tree.Star(), tree.Text(text=word), tree.Star()):
            return word
        case _:
            return None


def words_anywhere(selector: tree.Selector | None) -> Iterator[tuple[str, tree.Selector]]:
    """The words that a selector looks for anywhere in a name: `*word*`, `/word/`."""
    for glob in globs_of(selector):
        word = one_word(glob)
        if word is not None:
            yield word, replace(glob, span=glob.span)
    if isinstance(selector, tree.Regex):
        spans = list(branches(selector.pattern)) or [(0, len(selector.pattern), 0, 0)]
        for start, end, *_ in spans:
            word = selector.pattern[start:end]
            if re.fullmatch(r"\w+", word):
                yield word, tree.Regex(word)
    elif isinstance(selector, tree.Or | tree.And):
        for operand in selector.operands:
            if isinstance(operand, tree.Regex):
                yield from words_anywhere(operand)
