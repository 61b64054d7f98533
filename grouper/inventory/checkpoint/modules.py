"""Whole pickled modules: parameters, buffers and classes, as `named_parameters` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grouper.inventory import codes
from grouper.inventory.bases import bases_of
from grouper.inventory.checkpoint.mappings import attributes, mapping, texts
from grouper.inventory.checkpoint.pickle_values import Global, Reference
from grouper.inventory.checkpoint.tensors import Tensor, tensor
from grouper.inventory.errors import ModelError
from grouper.inventory.model import Inventory, Module, Parameter
from grouper.inventory.wrappers import WRAPPERS, unwrapped

MAX_NAMES = 250_000  # of modules, parameters and buffers together
MAX_EDGES = 1_000_000
MAX_DEPTH = 200
MAX_CHARACTERS = 16 << 20  # of all names together
Children = list[tuple[str, Any]]


@dataclass
class _Walk:
    """Modules in pre-order; tensors once by identity, with all their names."""

    children: Mapping[int, Children]
    modules: dict[str, Module] = field(default_factory=dict)
    wrappers: set[str] = field(default_factory=set)
    parameters: dict[int, tuple[Tensor | None, list[str]]] = field(default_factory=dict)
    buffers: list[str] = field(default_factory=list)
    characters: int = 0

    def counted(self, name: str) -> str:
        self.characters += len(name)
        if self.characters > MAX_CHARACTERS:
            raise _refused("the names of its modules and parameters are too long")
        return name


@dataclass(frozen=True, slots=True)
class _Size:
    """How many names a module and all below it have, and how many levels it spans."""

    names: int
    levels: int


def is_module(value: Any) -> bool:
    """Whether a value is a pickled `nn.Module`."""
    state = attributes(value)
    return state is not None and "_parameters" in state and "_modules" in state


def inventory_of(root: Any) -> Inventory:
    """The inventory of a pickled module. Raises ModelError where it has too many names."""
    walk = _Walk(_children(root))
    pending: list[tuple[str, Any]] = [("", root)]
    while pending:
        path, value = pending.pop()
        pending.extend(reversed(_visit(walk, path, value)))
    wrapped = frozenset(walk.wrappers)
    parameters = tuple(
        Parameter(
            tuple(unwrapped(name, wrapped) for name in names),
            found.shape,
            found.dtype,
            found.trains,
            names[0],
        )
        for found, names in walk.parameters.values()
        if found is not None
    )
    modules = {
        unwrapped(path, wrapped): module
        for path, module in walk.modules.items()
        if path not in wrapped
    }
    buffers = tuple(unwrapped(name, wrapped) for name in walk.buffers)
    return Inventory(parameters, modules, kind="whole module", buffers=buffers)


def _children(root: Any) -> Mapping[int, Children]:
    """The modules in each module, by its identity.

    Modules that share their children have many more paths than there are modules: how many is
    known, and refused, before a single path is made.
    """
    children: dict[int, Children] = {}
    sizes: dict[int, _Size] = {}
    pending: list[tuple[Any, bool]] = [(root, False)]
    edges = 0
    while pending:
        value, visited = pending.pop()
        if visited:
            sizes[id(value)] = _size(value, [sizes[id(child)] for _, child in children[id(value)]])
        elif id(value) not in sizes:
            inside = mapping((attributes(value) or {}).get("_modules")) or []
            edges += 1 + len(inside) + _tensors(value)
            if edges > MAX_EDGES or id(value) in children:
                raise _refused("its modules hold themselves, or are too many")
            children[id(value)] = [(name, child) for name, child in inside if is_module(child)]
            pending.append((value, True))
            pending.extend((child, False) for _, child in children[id(value)])
    return children


def _size(value: Any, below: list[_Size]) -> _Size:
    names = 1 + _tensors(value) + sum(size.names for size in below)
    levels = 1 + max((size.levels for size in below), default=0)
    if names > MAX_NAMES or levels > MAX_DEPTH:
        raise _refused(
            f"it has more than {MAX_NAMES:,} modules and parameters, or {MAX_DEPTH} levels"
        )
    return _Size(names, levels)


def _tensors(value: Any) -> int:
    """How many parameters and buffers a module may have of its own."""
    state = attributes(value) or {}
    return sum(len(texts(state.get(kind)) or ()) for kind in ("_parameters", "_buffers"))


def _visit(walk: _Walk, path: str, value: Any) -> Children:
    state = attributes(value) or {}
    cls = _class(value)
    walk.modules[path] = Module(path, cls, bases_of(cls))
    if cls in WRAPPERS:
        walk.wrappers.add(path)
    prefix = f"{path}." if path else ""
    for name, item in mapping(state.get("_parameters")) or ():
        if id(item) not in walk.parameters:
            walk.parameters[id(item)] = tensor(item), []
        walk.parameters[id(item)][1].append(walk.counted(prefix + name))
    for name, item in mapping(state.get("_buffers")) or ():
        if tensor(item) is not None:
            walk.buffers.append(walk.counted(prefix + name))
    return [(walk.counted(prefix + name), child) for name, child in walk.children[id(value)]]


def _class(value: Any) -> str:
    """The class of a pickled object: what was called, or what the call was given."""
    made = value.function
    if isinstance(made, Reference) and isinstance(made.value, tuple) and len(made.value) > 1:
        made = made.value[1]
    if isinstance(made, Global):
        rebuilt = made.name in ("_reconstructor", "__newobj__", "__newobj_ex__")
        if rebuilt and isinstance(value.arguments, tuple) and value.arguments:
            made = value.arguments[0]
    return made.dotted if isinstance(made, Global) else "unknown"


def _refused(why: str) -> ModelError:
    return ModelError(codes.OVER_LIMIT, f"the model is not read: {why}")
