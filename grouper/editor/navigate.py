"""Go to definition, find references and rename, for the names that a file declares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from grouper.editor.document import Document
from grouper.editor.names import Name, What
from grouper.language.resolve.labels import could_be
from grouper.language.resolve.variables import RESERVED
from grouper.language.shipped import shipped_rules
from grouper.language.syntax import tree
from grouper.language.syntax.keywords import KEYWORDS
from grouper.text.dataclass import dataclass
from grouper.text.findings import Edit
from grouper.text.source import Source, Span

_NAME = re.compile(r"[^\W\d]\w*")
_LABEL = re.compile(r"([^\W\d]|\{[^\W\d]\w*\})([\w.-]|\{[^\W\d]\w*\})*(?<![.-])")
_KINDS = {
    What.VARIABLE: "variable",
    What.LABEL: "label",
    What.CAPTURE: "capture",
    What.OPTIMIZER: "optimizer",
    What.SPLIT: "split",
}


class CannotRename(ValueError):
    """A name cannot be renamed; the message says why."""


def definition(document: Document, offset: int) -> tuple[Span, ...]:
    """Where the name at an offset is declared; for an `include`, the file."""
    statement = document.statement_at(offset)
    if statement is not None and statement.word == "include":
        path = document.included_path(statement)
        return (Span(Source("", str(path)), 0, 0),) if path is not None else ()
    name = name_at(document, offset)
    return tuple(n.span for n in declarations(document, name)) if name is not None else ()


def references(document: Document, offset: int, declaration: bool = True) -> tuple[Span, ...]:
    """Every occurrence of the name at an offset, in this file and those that it includes."""
    name = name_at(document, offset)
    if name is None or not declarations(document, name):
        return ()
    return tuple(n.span for n in _all(document, name) if declaration or not n.declares)


def name_at(document: Document, offset: int) -> Name | None:
    """The name at an offset; a capture takes precedence over the label that contains it."""
    around = [n for n in document.names if n.span.start <= offset <= n.span.end]
    return min(around, key=lambda n: n.span.end - n.span.start, default=None)


def declarations(document: Document, name: Name) -> tuple[Name, ...]:
    """Where a name is declared, in this file or one that it includes."""
    occurrences = tuple(n for n in _all(document, name) if n.declares)
    if name.what is What.VARIABLE:
        return occurrences[:1]
    return occurrences


def declared(document: Document, what: What) -> Iterator[Name]:
    """The names of a kind declared in a file and those that it includes."""
    for name in _everywhere(document):
        if name.what is what and name.declares:
            yield name


def _everywhere(document: Document) -> Iterator[Name]:
    yield from document.names
    for included in document.included:
        yield from included.names


def _all(document: Document, name: Name) -> list[Name]:
    names: Iterable[Name] = document.names if name.what is What.CAPTURE else _everywhere(document)
    return [other for other in names if _same(other, name)]


def _same(one: Name, other: Name) -> bool:
    if one.what is not other.what:
        return False
    if one.what is What.CAPTURE:
        return one.text == other.text and one.scope == other.scope
    if one.what is What.LABEL and one.text != other.text:
        return _reads(one.text, other.text) or _reads(other.text, one.text)
    return one.text == other.text


def _reads(pattern: str, name: str) -> bool:
    """Whether a label such as `block{i}` can be `block3`."""
    if "{" not in pattern or "{" in name:
        return False
    pieces: list[tree.Text | tree.Word] = [
        tree.Word(match[1]) if match[1] else tree.Text(match[0])
        for match in re.finditer(r"\{(\w+)\}|[^{]+", pattern)
    ]
    return could_be(tree.Label(tuple(pieces)), name)


def renamed_span(document: Document, offset: int) -> Span:
    """What would be renamed at an offset. Raises CannotRename if it is not a name that the file
    declares."""
    name = name_at(document, offset)
    places = declarations(document, name) if name is not None else ()
    if name is None or not places:
        raise CannotRename("there is no declared name here")
    if name.what is What.OPTIMIZER and not _is_alias(document, places):
        raise CannotRename("this is the optimizer's class: name the optimizer with `as` first")
    for place in places:
        if Path(place.span.source.path) in shipped_rules().values():
            raise CannotRename(f"`{name.text}` is declared in a file that is part of grouper")
    return name.span


@dataclass(frozen=True)
class Renaming:
    """The edits of one file."""

    path: str
    edits: tuple[Edit, ...]


def rename(document: Document, offset: int, new: str) -> tuple[Renaming, ...]:
    """The edits that rename a name. Raises CannotRename with the reason."""
    renamed_span(document, offset)
    name = name_at(document, offset)
    assert name is not None
    _check(document, name, new)
    by_file: dict[str, list[Edit]] = {}
    for place in _all(document, name):
        if place.text != name.text:
            raise CannotRename(
                f"`{place.text}` in line {place.span.line} refers to a label of `{name.text}`"
                if "{" in name.text
                else f"`{place.text}` in line {place.span.line} refers to it, too"
            )
        by_file.setdefault(place.span.source.path, []).append(Edit(place.span, new))
    return tuple(Renaming(path, tuple(edits)) for path, edits in by_file.items())


def _check(document: Document, name: Name, new: str) -> None:
    kind = _KINDS[name.what]
    quoted = name.what is What.LABEL and all(map(_in_quotes, _all(document, name)))
    pattern = _LABEL if name.what is What.LABEL else _NAME
    if quoted:
        if not new or re.search(r'["\\\n\r]', new):
            raise CannotRename("a quoted label cannot contain quotes, backslashes or newlines")
    elif not pattern.fullmatch(new):
        raise CannotRename(f"`{new}` is not a valid name for a {kind}")
    if new in KEYWORDS and not quoted:
        raise CannotRename(f"`{new}` is a keyword and cannot name a {kind}")
    if name.what in (What.VARIABLE, What.CAPTURE) and new in RESERVED:
        raise CannotRename(f"`{new}` is a fact or a function and cannot name a {kind}")
    _check_label(document, name, new)
    others = {other.text for other in _everywhere(document) if _clashes(other, name)}
    if new in others and new != name.text:
        raise CannotRename(f"the name `{new}` is already in use")


def _check_label(document: Document, name: Name, new: str) -> None:
    if name.what is not What.LABEL or all(map(_in_quotes, _all(document, name))):
        return
    captures = re.findall(r"\{(\w+)\}", name.text)
    if re.findall(r"\{(\w+)\}", new) != captures:
        expected = ", ".join(f"`{{{capture}}}`" for capture in captures) or "no captures"
        raise CannotRename(f"the label has {expected}, so the new name must have the same captures")
    uses = [n for n in _all(document, name) if not n.declares and not _in_quotes(n)]
    if uses and not (_NAME.fullmatch(new) or captures):
        raise CannotRename(f"`{new}` would need quotes where the label is used")


def _clashes(other: Name, name: Name) -> bool:
    """Whether two things cannot have the same name."""
    words = (What.VARIABLE, What.CAPTURE)
    if name.what in words:
        return other.what in words
    return other.what is name.what


def _in_quotes(name: Name) -> bool:
    return name.span.source.text[name.span.start - 1 : name.span.start] == '"'


def _is_alias(document: Document, places: tuple[Name, ...]) -> bool:
    before = places[0].span.source.text[: places[0].span.start].rstrip()
    return before.endswith("as")
