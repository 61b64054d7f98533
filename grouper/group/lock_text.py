"""Locks as text: a line for each fact, and the members of a group folded, exactly.

model "yolov5s.pt"
  tensors 177
  group head/bias
    lr = 0.01
    model.24.m.{0..2}.bias
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from grouper.group.lock import LockedGroup, LockedModel
from grouper.text.dataclass import dataclass, field, replace
from grouper.text.fold import fold
from grouper.text.source import Source, Span

_PLAIN = re.compile(r"[\w.:/-]+")
_MARK = re.compile(r"[{},]")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
MOST_NAMES = 2_000_000  # that a lock may stand for


class LockError(ValueError):
    """A lock that cannot be read; `span` is the line."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


def lock_text(rules: str, models: Sequence[LockedModel]) -> str:
    """The text of a lock. `rules` is the file that it is for."""
    lines = [f"# What {rules} gives, written by `grouper lock`; `grouper check --locked` compares."]
    for model in models:
        section = list(_model(model))
        lines += ["", *section, f"  sha256 {_hash(section)}"]
    return "\n".join(lines) + "\n"


def _model(model: LockedModel) -> Iterator[str]:
    yield f"model {json.dumps(model.path)}"
    yield f"  tensors {model.tensors}"
    yield f"  parameters {model.parameters}"
    yield f"  names-and-shapes {model.digest}"
    for statement in model.statements:
        yield f"  {statement}"
    for group in model.groups:
        yield f"  group {_word(group.name)}"
        yield from (f"    {key} = {value}" for key, value in group.options.items())
        yield from _names(group.parameters)
    for word, names in (("frozen", model.frozen), ("unmatched", model.unmatched)):
        if names:
            yield f"  {word}"
            yield from _names(names)


def _names(names: Iterable[str]) -> Iterator[str]:
    """Patterns of names, in the order of their first ones; strange names stand for themselves."""
    plain = [name for name in names if _PLAIN.fullmatch(name)]
    yield from (f"    {pattern}" for pattern in fold(plain))
    yield from (f"    {json.dumps(name)}" for name in names if not _PLAIN.fullmatch(name))


def _word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def read_lock(source: Source) -> tuple[LockedModel, ...]:
    """The models of a lock. Raises LockError if it is not one, or was changed by hand."""
    models: list[LockedModel] = []
    lines: list[tuple[str, Span]] = []
    for line, span in _lines(source):
        if line.startswith("model "):
            lines = []
        if line and not line.startswith("#"):
            lines.append((line, span))
        if line.startswith("  sha256 "):
            models.append(_read(lines))
            lines = []
    if lines or not models:
        end = Span(source, 0, min(len(source.text), 1))
        raise LockError("it ends before the hash of a model", lines[0][1] if lines else end)
    return tuple(models)


def _lines(source: Source) -> Iterator[tuple[str, Span]]:
    start = 0
    for line in source.text.split("\n"):
        yield line, Span(source, start, start + len(line))
        start += len(line) + 1


@dataclass
class _Section:
    """The facts of a model as they are read."""

    facts: dict[str, str] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    groups: list[LockedGroup] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    current: list[str] = field(default_factory=list)


def _read(lines: Sequence[tuple[str, Span]]) -> LockedModel:
    *body, (last, at) = lines
    if last.split()[1:] != [_hash(line for line, _ in body)]:
        raise LockError("it was changed by hand, or by a merge: its hash is another", at)
    section = _Section()
    first, head = body[0]
    for line, span in body[1:]:
        try:
            _take(section, line, span)
        except ValueError:
            raise LockError("this line does not belong in a lock", span) from None
    try:
        return LockedModel(
            json.loads(first.removeprefix("model ")),
            int(section.facts["tensors"]),
            int(section.facts["parameters"]),
            section.facts["names-and-shapes"],
            tuple(section.statements),
            tuple(section.groups),
            tuple(section.names.get("frozen", ())),
            tuple(section.names.get("unmatched", ())),
            head,
        )
    except (KeyError, ValueError):
        raise LockError("the model's facts are not all there", head) from None


def _take(section: _Section, line: str, span: Span) -> None:
    word, _, rest = line.strip().partition(" ")
    if line.startswith("    "):
        key, is_option, value = line[4:].partition(" = ")
        if is_option and not key.startswith('"'):
            options = {**section.groups[-1].options, key: value}
            section.groups[-1] = replace(section.groups[-1], options=options)
        elif section.current:
            section.names[section.current[0]] += _unfold(line[4:])
        else:
            more = (*section.groups[-1].parameters, *_unfold(line[4:]))
            section.groups[-1] = replace(section.groups[-1], parameters=more)
    elif word == "group":
        section.current = []
        name = json.loads(rest) if rest.startswith('"') else rest
        section.groups.append(LockedGroup(name, {}, (), span))
    elif word in ("frozen", "unmatched"):
        section.current = [word]
        section.names[word] = []
    elif word in ("tensors", "parameters", "names-and-shapes"):
        section.facts[word] = rest
    else:
        section.statements.append(line[2:])


def _unfold(pattern: str) -> list[str]:
    """The names that a pattern of `fold` stands for."""
    return [json.loads(pattern)] if pattern.startswith('"') else _names_of(pattern)


def _names_of(pattern: str) -> list[str]:
    """Braces are alternatives, which have braces in turn, or a range of numbers."""
    head, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    inside, tail = _split_at_brace(rest)
    numbers = _RANGE.fullmatch(inside[0]) if len(inside) == 1 else None
    choices = _range(numbers) if numbers else [n for each in inside for n in _names_of(each)]
    tails = _names_of(tail)
    if len(choices) * len(tails) > MOST_NAMES:
        raise ValueError("too many names")
    return [f"{head}{choice}{end}" for choice, end in product(choices, tails)]


def _split_at_brace(text: str) -> tuple[list[str], str]:
    """The alternatives up to the brace that closes them, and what is after it."""
    parts, start, depth = [], 0, 0
    for match in _MARK.finditer(text):
        mark = match[0]
        if depth == 0 and mark in ",}":
            parts.append(text[start : match.start()])
            start = match.end()
            if mark == "}":
                return parts, text[start:]
        depth += (mark == "{") - (mark == "}")
    raise ValueError("an open brace")


def _range(numbers: re.Match[str]) -> list[str]:
    first, last = int(numbers[1]), int(numbers[2])
    if last - first > MOST_NAMES:
        raise ValueError("too many names")
    return [str(number) for number in range(first, last + 1)]
