"""The marks of a live model: attributes of its parameters, and lists of its modules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn

from grouper.model.codes import FAILED_LIST
from grouper.model.marks import LISTED, Marks
from grouper.text.findings import Finding


def marks_of(
    parameters: Collection[tuple[Tensor, tuple[str, ...]]],
    modules: Mapping[str, nn.Module],
    bare: Callable[[str], str],
    words: Iterable[str],
) -> tuple[Marks, tuple[Finding, ...]]:
    """The marks of each of the words and of what is always recorded, and those that failed.

    `parameters` come with their names without wrappers, `modules` are those by path, wrappers
    included, and `bare` takes wrappers off a path. A method is called once, without arguments.
    """
    asked = frozenset(words)
    found: dict[str, set[str]] = {word: set() for word in asked}
    known: dict[str, tuple[str, ...]] = {}
    for parameter, names in parameters:
        for word, value in vars(parameter).items():
            if _is_true(value):
                found.setdefault(word, set()).update(names)
    findings = []
    for path, module, word in _lists(modules, asked):
        try:
            below = _list_of(module, word)
        except Exception as error:  # a stranger's method may raise anything
            findings.append(_failed(bare(path), word, error))
            continue
        known = known or {name: names for _, names in parameters for name in names}
        prefix = f"{bare(path)}." if bare(path) else ""
        for name in below:
            found.setdefault(word, set()).update(_named(prefix, name, known))
    return Marks({word: frozenset(names) for word, names in found.items()}, (LISTED,)), tuple(
        findings
    )


def _lists(
    modules: Mapping[str, nn.Module], asked: frozenset[str]
) -> Iterator[tuple[str, nn.Module, str]]:
    """Each module with each word of which it, or its class, may have a list."""
    of_classes = {
        cls: _listed_words(cls) | {word for word in asked if hasattr(cls, word)}
        for cls in set(map(type, modules.values()))
    }
    if not asked and not any(of_classes.values()):
        return
    for path, module in modules.items():
        own = {word for word in asked if word in vars(module)}
        for word in own | of_classes[type(module)]:
            yield path, module, word


def _named(prefix: str, listed: str, known: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    """All names of the parameters below a module that an entry of its list names.

    timm compares with `fnmatch`, so an entry may be a pattern: XCiT lists `pos_embed.*`.
    """
    if not any(character in listed for character in "*?["):
        return known.get(prefix + listed, ())
    below = (name for name in known if name.startswith(prefix))
    matched = (name for name in below if fnmatchcase(name[len(prefix) :], listed))
    return (other for name in matched for other in known[name])


def _is_true(value: object) -> bool:
    """Whether an attribute counts as true; values without a truth of their own (arrays) do not."""
    try:
        return bool(value)
    except (TypeError, ValueError, RuntimeError):
        return False


def _listed_words(cls: type) -> frozenset[str]:
    return frozenset(word for word in dir(cls) if word.startswith(LISTED))


def _list_of(module: nn.Module, word: str) -> frozenset[str]:
    """The names that a module's attribute or method of that name lists; none where it has none.

    What every `nn.Module` has (`eval`, `zero_grad`) is never called.
    """
    if hasattr(nn.Module, word):
        return frozenset()
    value: Any = vars(module).get(word, getattr(type(module), word, None))
    if isinstance(value, property) or (callable(value) and not isinstance(value, type)):
        value = getattr(module, word)
        value = value() if callable(value) else value
    if isinstance(value, list | tuple | set | frozenset | dict):
        return frozenset(name for name in value if isinstance(name, str))
    return frozenset()


def _failed(path: str, word: str, error: Exception) -> Finding:
    where = f"the module `{path}`" if path else "the model"
    return Finding(
        FAILED_LIST,
        f"`{word}` of {where} cannot be asked: {type(error).__name__}: {error}",
        help=f"name the parameters in the rules, or mend the method `{word}`",
    )
