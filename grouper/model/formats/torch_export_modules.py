"""The modules of an exported program, from the module stack of each node in the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grouper.model.class_bases import bases_of
from grouper.model.inventory import Module
from grouper.model.name_limits import Names

UNKNOWN = "unknown"


def modules_of(program: Mapping[str, Any], names: Iterable[str]) -> dict[str, Module] | None:
    """The modules by path; None if the graph names no modules.

    `names` are those of the tensors. A module above one of them that did not run, like a list of
    layers, is included with an unknown class.
    """
    classes: dict[str, str] = {}
    for path, cls in _ran(program):
        classes.setdefault(path, cls)
    if not classes:
        return None
    above: set[str] = set()
    counted = Names().counted
    for name in names:
        path = name.rpartition(".")[0]
        while path not in above:
            above.add(counted(path))
            classes.setdefault(path, UNKNOWN)
            path = path.rpartition(".")[0]
    return {path: Module(path, cls, bases_of(cls)) for path, cls in classes.items()}


def _ran(program: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths and classes from stacks like `L__self__,,my.Net;L__self__norm,norm,torch.nn...`."""
    seen: set[str] = set()
    for node in program["graph_module"]["graph"]["nodes"]:
        stack = node["metadata"].get("nn_module_stack")
        for entry in stack.split(";") if isinstance(stack, str) else ():
            if entry not in seen:
                seen.add(entry)
                _, _, rest = entry.partition(",")
                path, comma, cls = rest.rpartition(",")
                if comma and cls:
                    yield path, cls
