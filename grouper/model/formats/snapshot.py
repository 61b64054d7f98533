"""An inventory as JSON, for every command that takes a model."""

from __future__ import annotations

import json
from typing import Any

from grouper.model.files.file import BytesSource
from grouper.model.formats import unsupported
from grouper.model.formats.safetensors import sizes
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.model.marks import Marks
from grouper.model.name_limits import Names
from grouper.model.pickle.tensors import MAX_NDIM

VERSION = 1


def dumps(inventory: Inventory) -> str:
    """A snapshot: one parameter and one module a line, so that two of them can be compared."""
    marks = inventory.marks
    parameters = [_parameter_out(parameter, marks) for parameter in inventory.parameters]
    modules = None
    if inventory.modules is not None:
        modules = [
            {"path": path, "class": m.cls, "bases": None if m.bases is None else list(m.bases)}
            | ({"inferred": True} if m.inferred else {})
            for path, m in inventory.modules.items()
        ]
    head = {"version": VERSION, "kind": inventory.kind, "key": inventory.key}
    lines = [json.dumps(head)[:-1] + f', "order": "{inventory.order}",']
    lines.append(f'"buffers": {json.dumps(list(inventory.buffers))},')
    lines.append(f'"remarks": {json.dumps(list(inventory.remarks))},')
    if marks is not None:
        known = {"words": sorted(marks.parameters), "prefixes": list(marks.prefixes)}
        lines.append(f'"marks": {json.dumps(known)},')
    lines.append(f'"modules": {_listed(modules)},')
    lines.append(f'"parameters": {_listed(parameters)}}}')
    return "\n".join(lines) + "\n"


def loads(text: str, path: str = "<string>") -> Inventory:
    """The inventory of a snapshot. Raises ModelError where it is none."""
    try:
        return _inventory(json.loads(text), path)
    except (ValueError, RecursionError):
        raise unsupported.value(path, None) from None


def recognises(value: Any) -> bool:
    """Whether a JSON value is a snapshot, of this version or another."""
    return isinstance(value, dict) and value.keys() >= {"version", "parameters"}


def read(file: BytesSource, value: Any, key: str | None) -> Inventory:
    """The inventory of a snapshot, which holds one model: `key` is not looked at."""
    return _inventory(value, file.path)


def _inventory(value: Any, path: str) -> Inventory:
    """The inventory of a snapshot's JSON value. Raises ModelError where it is none."""
    try:
        if value["version"] != VERSION:
            raise ValueError("another version")
        parameters = tuple(_parameter_in(item) for item in value["parameters"])
        Names().count(name for parameter in parameters for name in parameter.names)
        return Inventory(
            parameters,
            _modules_in(value["modules"]),
            path=path,
            kind=_text(value["kind"]),
            key=None if value["key"] is None else _text(value["key"]),
            order="sorted" if value["order"] == "sorted" else "module",
            buffers=tuple(map(_text, value["buffers"])),
            remarks=tuple(map(_text, value["remarks"])),
            marks=_marks_in(value.get("marks"), value["parameters"]),
        )
    except (ValueError, TypeError, LookupError):
        raise unsupported.value(path, value) from None


def _listed(items: list[dict[str, Any]] | None) -> str:
    if items is None:
        return "null"
    return "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]"


def _marks_in(known: Any, parameters: list[dict[str, Any]]) -> Marks | None:
    if known is None:
        return None
    found: dict[str, set[str]] = {_text(word): set() for word in known["words"]}
    for parameter in parameters:
        for word in parameter.get("marks", ()):
            found[word].update(map(_text, parameter["names"]))
    prefixes = tuple(map(_text, known["prefixes"]))
    return Marks({word: frozenset(names) for word, names in found.items()}, prefixes)


def _parameter_out(parameter: Parameter, marks: Marks | None) -> dict[str, Any]:
    carried = marks.parameters if marks is not None else {}
    words = sorted(word for word, names in carried.items() if parameter.name in names)
    return ({"marks": words} if words else {}) | {
        "names": list(parameter.names),
        "shape": None if parameter.shape is None else list(parameter.shape),
        "dtype": parameter.dtype,
        "trainable": parameter.trainable,
        "stored": parameter.stored,
        "inferred": parameter.inferred,
        **({"unsure": True} if parameter.unsure else {}),
    }


def _parameter_in(value: dict[str, Any]) -> Parameter:
    names = tuple(map(_text, value["names"]))
    shape = value["shape"]
    if not names or (shape is not None and not (sizes(shape) and len(shape) <= MAX_NDIM)):
        raise ValueError("not a parameter")
    return Parameter(
        names,
        None if shape is None else tuple(shape),
        None if value["dtype"] is None else _text(value["dtype"]),
        value["trainable"] if isinstance(value["trainable"], bool) else None,
        _text(value["stored"]),
        value["inferred"] is True,
        value.get("unsure") is True,
    )


def _modules_in(value: list[dict[str, Any]] | None) -> dict[str, Module] | None:
    if value is None:
        return None
    return {
        _text(m["path"]): Module(
            _text(m["path"]),
            _text(m["class"]),
            None if m["bases"] is None else tuple(map(_text, m["bases"])),
            m.get("inferred") is True,
        )
        for m in value
    }


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
