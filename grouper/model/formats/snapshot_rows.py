"""Converts parameters and modules to rows of a snapshot's JSON, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grouper.model.errors import over_limit
from grouper.model.formats.safetensors import sizes
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.model.marks import Marks
from grouper.model.name_limits import Names
from grouper.model.pickle.tensors import MAX_NDIM

Row = dict[str, Any]
MAX_ROWS = 2_500_000  # parameters, modules and buffers
MAX_CHARACTERS = 160 << 20  # of all names: their rows are read one by one


def parameters_out(inventory: Inventory) -> list[Row]:
    """The parameters, each with the words that mark it."""
    marked: dict[str, list[str]] = {}
    for word, names in sorted(inventory.marks.parameters.items()) if inventory.marks else ():
        for name in names:
            marked.setdefault(name, []).append(word)
    return [_parameter_out(p, marked.get(p.name, [])) for p in inventory.parameters]


def modules_out(inventory: Inventory) -> list[Row] | None:
    if inventory.modules is None:
        return None
    return [
        {"path": path, "class": m.cls, "bases": None if m.bases is None else list(m.bases)}
        | ({"inferred": True} if m.inferred else {})
        for path, m in inventory.modules.items()
    ]


class Rows:
    """Collects rows in blocks. Raises ValueError, TypeError or LookupError for invalid rows, and
    ModelError if there are too many, or their names are too long.

    What many rows share (dtypes, classes, shapes) is stored once.
    """

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []
        self.modules: dict[str, Module] = {}
        self._marked: list[tuple[str, tuple[str, ...]]] = []
        self._texts: dict[str, str] = {}
        self._shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._bases: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._names, self._stored, self._others = (Names(MAX_CHARACTERS) for _ in range(3))

    def add_parameters(self, rows: Sequence[Row]) -> None:
        names_of = [_texts(row["names"]) for row in rows]
        self._names.count([name for names in names_of for name in names])
        for row, names in zip(rows, names_of, strict=True):
            shape, dtype, stored = row["shape"], row["dtype"], text(row["stored"])
            if not names or (shape is not None and not (sizes(shape) and len(shape) <= MAX_NDIM)):
                raise ValueError("not a parameter")
            if shape is not None:
                shape = tuple(shape)
                shape = self._shapes.setdefault(shape, shape)
            if stored == names[0]:
                stored = names[0]
            else:
                self._stored.counted(stored)
            for word in row.get("marks", ()):
                self._marked.append((self._once(word), names))
            self.parameters.append(
                Parameter(
                    names,
                    shape,
                    None if dtype is None else self._once(dtype),
                    row["trainable"] if isinstance(row["trainable"], bool) else None,
                    stored,
                    row["inferred"] is True,
                    row.get("unsure") is True,
                )
            )
        self._in_number()

    def add_modules(self, rows: Sequence[Row]) -> None:
        paths = _texts([row["path"] for row in rows])
        self._others.count(paths)
        for row, path in zip(rows, paths, strict=True):
            bases = row["bases"]
            if bases is not None:
                bases = tuple(map(self._once, bases))
                bases = self._bases.setdefault(bases, bases)
            cls = self._once(row["class"])
            self.modules[path] = Module(path, cls, bases, row.get("inferred") is True)
        self._in_number()

    def marks(self, known: Any) -> Marks | None:
        """The marks for the words in `known`, from the parameters added so far."""
        if known is None:
            return None
        marks: dict[str, set[str]] = {text(word): set() for word in known["words"]}
        for word, names in self._marked:
            marks[word].update(names)
        prefixes = tuple(map(text, known["prefixes"]))
        return Marks({word: frozenset(names) for word, names in marks.items()}, prefixes)

    def _once(self, value: str) -> str:
        stored = self._texts.get(value)
        if stored is None:
            stored = self._texts[value] = self._others.counted(text(value))
        return stored

    def _in_number(self) -> None:
        if len(self.parameters) + len(self.modules) > MAX_ROWS:
            raise over_limit(f"it has more than {MAX_ROWS:,} parameters and modules")


def text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _texts(values: list[object]) -> tuple[str, ...]:
    return tuple(map(text, values))


def _parameter_out(parameter: Parameter, marks: list[str]) -> Row:
    return ({"marks": marks} if marks else {}) | {
        "names": list(parameter.names),
        "shape": None if parameter.shape is None else list(parameter.shape),
        "dtype": parameter.dtype,
        "trainable": parameter.trainable,
        "stored": parameter.stored,
        "inferred": parameter.inferred,
        **({"unsure": True} if parameter.unsure else {}),
    }
