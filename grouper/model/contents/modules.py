"""Pickled models: their parameters, buffers and classes, like `named_parameters()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grouper.model.errors import ModelError, over_limit
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.model.marks import Marks
from grouper.model.name_limits import Names
from grouper.model.pickle.classes import GRAPH, PERSISTENT, class_of, made_by
from grouper.model.pickle.mappings import attributes, texts
from grouper.model.pickle.tensors import Tensor, tensor
from grouper.model.pickle.values import Call, Global
from grouper.model.wrappers import WRAPPERS, unwrapped
from grouper.text.dataclass import dataclass, field, replace

__all__ = ["Parts", "attributes", "inventory_of", "is_module", "too_many", "walked"]
MAX_NAMES = 100_000  # of modules, parameters and buffers together
MAX_ENTRIES = 200_000  # values searched for them
MAX_LEVELS = 200
_COMPILED = "torch._dynamo.eval_frame.OptimizedModule"
ALL_FROZEN = "all parameters were saved frozen, like averages: which of them train is unknown"


@dataclass(frozen=True)
class Parts:
    """A module's own parameters, buffers and children, by name.

    Each parameter comes with its identity, which tied ones share. `entries` counts the values of
    the file that were searched.
    """

    cls: str
    bases: tuple[str, ...] | None
    parameters: list[tuple[str, Tensor, object]]
    buffers: list[str]
    children: list[tuple[str, Any]]
    entries: int = 0

    @property
    def names(self) -> int:
        return 1 + len(self.parameters) + len(self.buffers)


@dataclass(frozen=True, slots=True)
class _Size:
    """The number of names in a module and everything below it, and its depth in levels."""

    names: int
    levels: int


@dataclass
class _Walk:
    """Modules in pre-order, and each tensor once, with all its names."""

    parts: Mapping[int, Parts]
    modules: dict[str, Module] = field(default_factory=dict)
    wrappers: dict[str, str] = field(default_factory=dict)
    parameters: dict[object, tuple[Tensor, list[str]]] = field(default_factory=dict)
    buffers: list[str] = field(default_factory=list)
    names: Names = field(default_factory=Names)


def is_module(value: Any) -> bool:
    """Whether a value is a pickled `nn.Module`."""
    if not isinstance(value, Call):
        return False
    state = _state(_first_argument(value, _COMPILED) or value)
    return state is not None and "_parameters" in state and "_modules" in state


def _state(value: Any) -> Mapping[str, Any] | None:
    """The `__dict__` of a pickled module; some pass it to the function that builds the module."""
    maker = _maker(value)
    if maker == PERSISTENT:
        persistent = texts(_first_argument(value, PERSISTENT))
        return texts(persistent.get("state")) if persistent else attributes(value)
    graph = texts(_first_argument(value, GRAPH)) if maker == GRAPH else None
    return graph or attributes(value)


def _maker(value: Any) -> str | None:
    """The name of the function or class that built a value."""
    if not isinstance(value, Call):
        return None
    maker = value.function if isinstance(value.function, Global) else made_by(value)
    return maker.dotted if isinstance(maker, Global) else None


def _first_argument(value: Any, function: str) -> Any:
    """The first argument of a call to that function, or None."""
    if _maker(value) != function:
        return None
    return value.arguments[0] if isinstance(value.arguments, tuple) and value.arguments else None


def inventory_of(root: Any) -> Inventory:
    """The inventory of a pickled model. Raises ModelError if it has too many names."""
    return _trainable(walked(root, _parts, "pickled model"))


def walked(root: Any, parts: Callable[[Any], Parts], kind: str) -> Inventory:
    """The inventory of a module and all below it; `parts` is called once for each module."""
    walk = _Walk(_all_parts(root, parts))
    pending: list[tuple[str, Any]] = [("", root)]
    while pending:
        path, value = pending.pop()
        pending.extend(reversed(_visit(walk, path, walk.parts[id(value)])))
    wrappers = walk.wrappers
    parameters = tuple(
        Parameter(
            tuple(unwrapped(name, wrappers) for name in names),
            facts.shape,
            facts.dtype,
            facts.trains,
            names[0],
        )
        for facts, names in walk.parameters.values()
    )
    own = (m for path, m in walk.modules.items() if path not in wrappers)
    if wrappers:
        own = (replace(m, path=unwrapped(m.path, wrappers)) for m in own)
    modules = {module.path: module for module in own}
    buffers = tuple(unwrapped(name, wrappers) for name in walk.buffers)
    marks = Marks(_marks(walk, parameters))
    return Inventory(parameters, modules, kind=kind, buffers=buffers, marks=marks)


def _marks(walk: _Walk, parameters: tuple[Parameter, ...]) -> Mapping[str, frozenset[str]]:
    """The parameters that have an attribute, by its name; a file has no lists from methods."""
    marks: dict[str, set[str]] = {}
    for (stored, _), parameter in zip(walk.parameters.values(), parameters, strict=True):
        for word in stored.marks:
            marks.setdefault(word, set()).update(parameter.names)
    return {word: frozenset(names) for word, names in marks.items()}


def _trainable(inventory: Inventory) -> Inventory:
    """Marks trainability as unknown if all parameters are frozen: that is how models are saved for
    inference and as running averages, like Ultralytics' `best.pt` and all its downloads."""
    if not inventory.parameters or any(p.trainable is not False for p in inventory.parameters):
        return inventory
    unknown = tuple(replace(p, trainable=None) for p in inventory.parameters)
    return replace(inventory, parameters=unknown, remarks=(ALL_FROZEN,))


def _all_parts(root: Any, parts: Callable[[Any], Parts]) -> Mapping[int, Parts]:
    """The parts of each module, by its identity.

    Modules that share children can have far more paths than there are modules: the paths are
    counted before any is built, and too many are refused.
    """
    known: dict[int, Parts] = {}
    sizes: dict[int, _Size] = {}
    pending: list[tuple[Any, bool]] = [(root, False)]
    entries = 0
    while pending:
        value, visited = pending.pop()
        if visited:
            sizes[id(value)] = _size(known[id(value)], sizes)
        elif id(value) not in sizes:
            if id(value) in known:
                raise over_limit("a module contains itself")
            own = known[id(value)] = parts(value)
            entries += 1 + own.entries
            if entries > MAX_ENTRIES:
                raise too_many()
            pending.append((value, True))
            pending.extend((child, False) for _, child in own.children)
    return known


def _size(own: Parts, sizes: Mapping[int, _Size]) -> _Size:
    below = [sizes[id(child)] for _, child in own.children]
    names = own.names + sum(size.names for size in below)
    levels = 1 + max((size.levels for size in below), default=0)
    if names > MAX_NAMES:
        raise too_many()
    if levels > MAX_LEVELS:
        raise over_limit(f"its modules are nested more than {MAX_LEVELS} levels deep")
    return _Size(names, levels)


def _visit(walk: _Walk, path: str, own: Parts) -> list[tuple[str, Any]]:
    walk.modules[path] = Module(path, own.cls, own.bases)
    if own.cls in WRAPPERS:
        walk.wrappers[path] = WRAPPERS[own.cls]
    prefix, counted = f"{path}." if path else "", walk.names.counted
    for name, facts, identity in own.parameters:
        walk.parameters.setdefault(identity, (facts, []))[1].append(counted(prefix + name))
    walk.buffers.extend(counted(prefix + name) for name in own.buffers)
    return [(counted(prefix + name), child) for name, child in own.children]


def _parts(value: Any) -> Parts:
    compiled = _first_argument(value, _COMPILED)
    if compiled is not None:
        return Parts(_COMPILED, None, [], [], [(WRAPPERS[_COMPILED], compiled)])
    state = _state(value) or {}
    parameters, buffers, children = (
        texts(state.get(kind)) or {} for kind in ("_parameters", "_buffers", "_modules")
    )
    entries = len(parameters) + len(buffers) + len(children)
    if entries > MAX_NAMES:
        raise too_many()
    return Parts(
        *class_of(value),
        [(n, t, id(item)) for n, item in parameters.items() if (t := tensor(item)) is not None],
        [name for name, item in buffers.items() if tensor(item) is not None],
        [(name, child) for name, child in children.items() if is_module(child)],
        entries,
    )


def too_many() -> ModelError:
    return over_limit(f"it has more than {MAX_NAMES:,} modules and parameters")
