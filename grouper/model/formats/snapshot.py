"""Snapshots: an inventory as JSON, accepted by every command that takes a model."""

from __future__ import annotations

import json
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.file import Buffer, BytesSource
from grouper.model.formats import snapshot_lines, unsupported
from grouper.model.formats.snapshot_rows import (
    MAX_CHARACTERS,
    MAX_ROWS,
    Row,
    Rows,
    modules_out,
    parameters_out,
    text,
)
from grouper.model.inventory import Inventory
from grouper.model.name_limits import Names

VERSION = 1
# The largest snapshot that is read, and therefore also the largest that is written.
MAX_SIZE = 640 << 20


def dumps(inventory: Inventory) -> str:
    """The text of a snapshot, with one parameter or module per line, so that diffs are readable.

    Raises ModelError if it would be too large to be read again.
    """
    _within_limits(inventory)
    marks = inventory.marks
    head = {"version": VERSION, "kind": inventory.kind, "key": inventory.key}
    lines = [json.dumps(head)[:-1] + f', "order": "{inventory.order}",']
    lines.append(f'"buffers": {json.dumps(list(inventory.buffers))},')
    lines.append(f'"remarks": {json.dumps(list(inventory.remarks))},')
    if marks is not None:
        known = {"words": sorted(marks.parameters), "prefixes": list(marks.prefixes)}
        lines.append(f'"marks": {json.dumps(known)},')
    lines.append(f'"modules": {_listed(modules_out(inventory))},')
    lines.append(f'"parameters": {_listed(parameters_out(inventory))}}}')
    written = "\n".join(lines) + "\n"
    if len(written) > MAX_SIZE:
        raise _too_large("a snapshot of the model")
    return written


def loads(written: str, path: str = "<string>") -> Inventory:
    """The inventory of a snapshot. Raises ModelError if it is not a snapshot."""
    source = Buffer(written.encode("utf-8", "surrogatepass"), path)
    if snapshot_lines.recognises(written[:64].encode("utf-8", "replace")):
        inventory = read_lines(source)
        if inventory is not None:
            return inventory
    try:
        return _of_value(json.loads(written), path)
    except (ValueError, RecursionError):
        raise unsupported.value(path, None) from None


def recognises(value: Any) -> bool:
    """Whether a JSON value is a snapshot, of this version or another."""
    return isinstance(value, dict) and value.keys() >= {"version", "parameters"}


def read(file: BytesSource, value: Any, key: str | None) -> Inventory:
    """The inventory of a snapshot; `key` is ignored, as a snapshot holds one model."""
    return _of_value(value, file.path)


def read_lines(file: BytesSource) -> Inventory | None:
    """The inventory of a snapshot in grouper's own layout; None for any other layout."""
    if file.size > MAX_SIZE:
        raise _too_large(f"`{file.path}`")
    try:
        value, rows = snapshot_lines.read(file)
        if rows.modules and value["modules"] != []:
            return None
        return _inventory(value, rows, file.path) if value["parameters"] == [] else None
    except (ValueError, TypeError, LookupError):
        return None


def _of_value(value: Any, path: str) -> Inventory:
    """The inventory of a snapshot's JSON value. Raises ModelError if it is not a snapshot."""
    try:
        rows = Rows()
        rows.add_parameters(value["parameters"])
        rows.add_modules(value["modules"] or ())
        return _inventory(value, rows, path)
    except (ValueError, TypeError, LookupError):
        raise unsupported.value(path, value) from None


def _inventory(value: dict[str, Any], rows: Rows, path: str) -> Inventory:
    if value["version"] != VERSION:
        raise ValueError("another version")
    inventory = Inventory(
        tuple(rows.parameters),
        None if value["modules"] is None else rows.modules,
        path=path,
        kind=text(value["kind"]),
        key=None if value["key"] is None else text(value["key"]),
        order="sorted" if value["order"] == "sorted" else "module",
        buffers=tuple(map(text, value["buffers"])),
        remarks=tuple(map(text, value["remarks"])),
        marks=rows.marks(value.get("marks")),
    )
    _in_number(inventory)
    return inventory


def _within_limits(inventory: Inventory) -> None:
    """Raises ModelError for the same limits as reading does."""
    parameters, modules = inventory.parameters, inventory.modules or {}
    Names(MAX_CHARACTERS).count(name for parameter in parameters for name in parameter.names)
    Names(MAX_CHARACTERS).count(p.stored for p in parameters if p.stored != p.name)
    others = {p.dtype for p in parameters} | {m.cls for m in modules.values()}
    others |= {base for m in modules.values() for base in m.bases or ()}
    others |= {*(inventory.marks.parameters if inventory.marks else ())}
    Names(MAX_CHARACTERS).count((*modules, *filter(None, others)))
    _in_number(inventory)


def _in_number(inventory: Inventory) -> None:
    """Raises ModelError if the parameters, modules and buffers are too many together."""
    rows = len(inventory.parameters) + len(inventory.modules or ()) + len(inventory.buffers)
    if rows > MAX_ROWS:
        raise _too_large(f"a snapshot of `{inventory.path}`")


def _too_large(what: str) -> ModelError:
    return ModelError(
        codes.OVER_LIMIT,
        f"{what} has more than {MAX_ROWS:,} parameters, modules and buffers,"
        f" or is larger than {MAX_SIZE >> 20} MiB",
        "save parts of the model separately",
    )


def _listed(items: list[Row] | None) -> str:
    if items is None:
        return "null"
    return "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]"
