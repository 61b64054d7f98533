"""Whole pickled modules: parameters, buffers and classes, as `named_parameters` has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grouper.inventory import codes
from grouper.inventory.bases import bases_of
from grouper.inventory.checkpoint.pickle_machine import Call, Dict, Global, Reference
from grouper.inventory.checkpoint.tensors import Tensor, mapping, tensor
from grouper.inventory.errors import ModelError
from grouper.inventory.model import Inventory, Module, Parameter
from grouper.inventory.wrappers import WRAPPERS, unwrapped

MAX_MODULES = 200_000
MAX_DEPTH = 200
MAX_NAMES = 64 << 20  # characters of all names together


@dataclass(frozen=True)
class Parts:
    """What one module holds itself, by name.

    With each parameter comes what tells it from others: tied ones have the same.
    """

    cls: str
    parameters: list[tuple[str, Tensor, object]]
    buffers: list[str]
    children: list[tuple[str, Any]]


@dataclass
class _Walk:
    """Modules in pre-order; tensors once, with all their names."""

    parts: Callable[[Any], Parts]
    modules: dict[str, Module] = field(default_factory=dict)
    wrappers: set[str] = field(default_factory=set)
    parameters: dict[object, tuple[Tensor, list[str]]] = field(default_factory=dict)
    buffers: list[str] = field(default_factory=list)
    characters: int = 0


def is_module(value: Any) -> bool:
    """Whether a value is a pickled `nn.Module`."""
    state = attributes(value)
    return state is not None and {"_parameters", "_modules"} <= state.keys()


def attributes(value: Any) -> dict[str, Any] | None:
    """The `__dict__` of a pickled object."""
    if not isinstance(value, Call):
        return None
    state = value.state
    if isinstance(state, tuple) and state:
        state = state[0]
    if not isinstance(state, Dict):
        return None
    return {key: item for key, item in state.pairs if isinstance(key, str)}


def inventory_of(root: Any) -> Inventory:
    """The inventory of a pickled module."""
    return walked(root, _parts, "whole module")


def walked(root: Any, parts: Callable[[Any], Parts], kind: str) -> Inventory:
    """The inventory of a module and those below it, each of which `parts` takes apart."""
    walk = _Walk(parts)
    pending: list[tuple[str, Any, tuple[int, ...]]] = [("", root, ())]
    while pending:
        path, value, above = pending.pop()
        if id(value) in above or len(above) > MAX_DEPTH:
            raise _refused("its modules hold themselves, or are nested without end")
        pending.extend(reversed(_visit(walk, path, value, above)))
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
    )
    modules = {
        unwrapped(path, wrapped): module
        for path, module in walk.modules.items()
        if path not in wrapped
    }
    buffers = tuple(unwrapped(name, wrapped) for name in walk.buffers)
    return Inventory(parameters, modules, kind=kind, buffers=buffers)


def _visit(
    walk: _Walk, path: str, value: Any, above: tuple[int, ...]
) -> list[tuple[str, Any, tuple[int, ...]]]:
    parts = walk.parts(value)
    walk.characters += len(path) + 1
    if len(walk.modules) >= MAX_MODULES or walk.characters > MAX_NAMES:
        raise _refused(f"it has more than {MAX_MODULES:,} modules")
    walk.modules[path] = Module(path, parts.cls, bases_of(parts.cls))
    if parts.cls in WRAPPERS:
        walk.wrappers.add(path)
    prefix = f"{path}." if path else ""
    for name, found, identity in parts.parameters:
        walk.parameters.setdefault(identity, (found, []))[1].append(prefix + name)
    walk.buffers.extend(prefix + name for name in parts.buffers)
    inside = (*above, id(value))
    return [(prefix + name, child, inside) for name, child in parts.children]


def _parts(value: Any) -> Parts:
    state = attributes(value) or {}
    parameters, buffers, children = (
        mapping(state.get(name)) or [] for name in ("_parameters", "_buffers", "_modules")
    )
    return Parts(
        _class(value),
        [(n, found, id(item)) for n, item in parameters if (found := tensor(item)) is not None],
        [name for name, item in buffers if tensor(item) is not None],
        [(name, child) for name, child in children if is_module(child)],
    )


def _class(value: Any) -> str:
    """The class of a pickled object: what was called, or what the call was given."""
    made = value.function
    if isinstance(made, Global):
        rebuilt = made.name in ("_reconstructor", "__newobj__", "__newobj_ex__")
        if rebuilt and isinstance(value.arguments, tuple) and value.arguments:
            made = value.arguments[0]
    # in files before 1.6 a class comes with its source
    if isinstance(made, Reference) and isinstance(made.value, tuple) and len(made.value) > 1:
        made = made.value[1]
    return made.dotted if isinstance(made, Global) else "unknown"


def _refused(why: str) -> ModelError:
    return ModelError(codes.OVER_LIMIT, f"the model is not read: {why}")
