"""The marks of a live model: attributes of its parameters, and lists of names in its modules."""

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
    """The marks for `words` and the always recorded words, and findings for lists that failed.

    `parameters` come with their names without wrappers, `modules` are by path, wrappers included,
    and `bare` removes wrappers from a path. A method is called once, without arguments.
    """
    requested = frozenset(words)
    marks: dict[str, set[str]] = {word: set() for word in requested}
    aliases: dict[str, tuple[str, ...]] = {}
    for parameter, names in parameters:
        for word, value in vars(parameter).items():
            if _is_true(value):
                marks.setdefault(word, set()).update(names)
    findings = []
    for path, module, word in _lists(modules, requested):
        try:
            below = _list_of(module, word)
        except Exception as error:  # a model's method may raise anything
            findings.append(_failed(bare(path), word, error))
            continue
        aliases = aliases or {name: names for _, names in parameters for name in names}
        prefix = f"{bare(path)}." if bare(path) else ""
        for name in below:
            marks.setdefault(word, set()).update(_named(prefix, name, aliases))
    return Marks({word: frozenset(names) for word, names in marks.items()}, (LISTED,)), tuple(
        findings
    )


def _lists(
    modules: Mapping[str, nn.Module], requested: frozenset[str]
) -> Iterator[tuple[str, nn.Module, str]]:
    """Each module with each word for which it or its class may have a list."""
    of_classes = {
        cls: _listed_words(cls) | {word for word in requested if hasattr(cls, word)}
        for cls in set(map(type, modules.values()))
    }
    if not requested and not any(of_classes.values()):
        return
    for path, module in modules.items():
        own = {word for word in requested if word in vars(module)}
        for word in own | of_classes[type(module)]:
            yield path, module, word


def _named(prefix: str, entry: str, aliases: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    """All names of the parameters below a module that match an entry of its list.

    timm compares with `fnmatch`, so an entry may be a pattern: XCiT lists `pos_embed.*`.
    """
    if not any(character in entry for character in "*?["):
        return aliases.get(prefix + entry, ())
    below = (name for name in aliases if name.startswith(prefix))
    matches = (name for name in below if fnmatchcase(name[len(prefix) :], entry))
    return (other for name in matches for other in aliases[name])


def _is_true(value: object) -> bool:
    """Whether an attribute is true; values without a truth value (arrays) count as false."""
    try:
        return bool(value)
    except (TypeError, ValueError, RuntimeError):
        return False


def _listed_words(cls: type) -> frozenset[str]:
    own = (base for base in cls.__mro__ if base not in (nn.Module, object))
    return frozenset(word for base in own for word in vars(base) if word.startswith(LISTED))


def _list_of(module: nn.Module, word: str) -> frozenset[str]:
    """The names listed by a module's attribute or method `word`; empty if it has none.

    Methods of every `nn.Module` (`eval`, `zero_grad`) are never called.
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
        f"`{word}` of {where} fails: {type(error).__name__}: {error}",
        help=f"name the parameters in the rules, or fix the method `{word}`",
    )
