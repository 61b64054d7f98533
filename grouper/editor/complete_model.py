"""Completes names of a model: its modules level by level, parameters, classes and marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.editor.candidate import Candidate, Sort
from grouper.editor.document import Document
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.match.classes import owner_path
from grouper.match.globs import compile_glob
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass, field
from grouper.text.printable import count_phrase
from grouper.text.source import Span

MOST_OFFERED = 400
_PLAIN = re.compile(r"[\w.-]*")


@dataclass
class _Tree:
    """The names of an inventory as a tree: the children of each module, with their numbers of
    tensors."""

    children: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, name: str) -> None:
        parent = ""
        for part in name.split("."):
            counts = self.children.setdefault(parent, {})
            counts[part] = counts.get(part, 0) + 1
            parent = f"{parent}.{part}" if parent else part


_TREES: dict[int, tuple[Inventory, _Tree]] = {}


def _tree(inventory: Inventory) -> _Tree:
    """The tree of an inventory, built once."""
    entry = _TREES.get(id(inventory))
    if entry is None or entry[0] is not inventory:
        names = _Tree()
        for parameter in inventory.parameters:
            for name in parameter.names:
                names.add(name)
        if len(_TREES) > 16:
            _TREES.clear()
        entry = _TREES[id(inventory)] = (inventory, names)
    return entry[1]


def names(document: Document, part: str, span: Span, module: bool) -> Iterator[Candidate]:
    """The names that can follow a part of a glob or a class: the next level of names."""
    for _, inventory in document.models:
        if part.startswith("@") or not part:
            yield from _classes(inventory, part, span, module)
        if not part.startswith("@"):
            yield from _children(inventory, part, span, module)


def _children(inventory: Inventory, part: str, span: Span, module: bool) -> Iterator[Candidate]:
    above, prefix = _cut(part)
    known = _tree(inventory)
    counts: dict[str, int] = {}
    leaves: dict[str, bool] = {}
    for parent in _parents(known, above):
        for child, count in known.children.get(parent, {}).items():
            path = f"{parent}.{child}" if parent else child
            counts[child] = counts.get(child, 0) + count
            leaves[child] = path not in known.children
    place = Span(span.source, span.end - len(prefix), span.end)
    numbers = [child for child in counts if child.isdigit()]
    for child, count in list(counts.items())[:MOST_OFFERED]:
        if module and leaves[child]:
            continue
        kind = Sort.PARAMETER if leaves[child] else Sort.MODULE
        detail = "parameter" if leaves[child] else count_phrase(range(count), "tensor")
        rank = 1 if child.isdigit() else 0
        yield Candidate(child, kind, place, detail, rank=rank)
    if len(numbers) > 1 and above.count("{") == above.count("}"):
        last = max(map(int, numbers))
        yield Candidate("{i}", Sort.MODULE, place, f"each number, captured: 0 to {last}")
        yield Candidate(f"{{0..{last}}}", Sort.MODULE, place, "a range of numbers")
    if counts and not module:
        yield Candidate("*", Sort.MODULE, place, "everything below", rank=2)


def _cut(part: str) -> tuple[str, str]:
    """The names of the modules above, and the beginning of the name being typed."""
    depth, cut = 0, 0
    for index, character in enumerate(part):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "." and depth <= 0:
            cut = index + 1
    above, prefix = part[:cut].rstrip("."), part[cut:]
    inside = max(prefix.rfind("{"), prefix.rfind(","))
    in_braces = prefix.count("{") > prefix.count("}")
    return above, prefix[inside + 1 :] if in_braces and inside >= 0 else prefix


def _parents(known: _Tree, above: str) -> list[str]:
    """The modules that a pattern can match."""
    if _PLAIN.fullmatch(above):
        return [above]
    try:
        selector = parse_selector(above)
    except ValueError:
        return []
    if not isinstance(selector, tree.Glob):
        return []
    matches = compile_glob(selector)
    return [path for path in known.children if path and matches(path) is not None]


def _classes(inventory: Inventory, part: str, span: Span, module: bool) -> Iterator[Candidate]:
    if inventory.modules is None:
        return
    counts: dict[str, int] = {}
    for cls, number in _class_counts(inventory, module).items():
        counts[cls] = counts.get(cls, 0) + number
    if "." not in part:
        short: dict[str, int] = {}
        for cls, number in counts.items():
            name = cls.rpartition(".")[2]
            short[name] = short.get(name, 0) + number
        counts = short
    for cls, number in counts.items():
        if cls:
            yield Candidate(f"@{cls}", Sort.CLASS, span, count_phrase(range(number), "module"))


def _class_counts(inventory: Inventory, all_modules: bool) -> dict[str, int]:
    """The classes and base classes of modules, by default of those that own parameters."""
    modules = inventory.modules or {}
    paths = (
        modules
        if all_modules
        else dict.fromkeys(
            owner_path(name, modules) for p in inventory.parameters for name in p.names
        )
    )
    counts: dict[str, int] = {}
    for path in paths:
        module = modules.get(path)
        for cls in (module.cls, *(module.bases or ())) if module else ():
            counts[cls] = counts.get(cls, 0) + 1
    return counts


def exact_names(document: Document, span: Span) -> Iterator[Candidate]:
    """Whole names that start with the typed text."""
    for _, inventory in document.models:
        matching = [name for name in inventory.by_name if name.startswith(span.text)]
        for name in matching[:MOST_OFFERED]:
            yield Candidate(name, Sort.PARAMETER, span, "parameter")


def marks(document: Document, span: Span) -> Iterator[Candidate]:
    """The marks that parameters of a model have."""
    for _, inventory in document.models:
        for word in inventory.marks.parameters if inventory.marks is not None else ():
            yield Candidate(word, Sort.MARK, span, "a mark on parameters of the model")
