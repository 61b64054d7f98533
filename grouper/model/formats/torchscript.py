"""TorchScript archives of `torch.jit.save`: modules with the names of their classes.

`data.pkl` holds the modules' attributes, and the sources under `code/` declare which of them are
parameters. The sources are searched as text and never compiled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grouper.model import codes
from grouper.model.class_bases import bases_of
from grouper.model.contents.modules import MAX_NAMES, Parts, attributes, too_many, walked
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource, cut_short
from grouper.model.files.zip import Entry, member, opened, record
from grouper.model.inventory import Inventory
from grouper.model.pickle.machine import Call, Global, described
from grouper.model.pickle.tensors import Tensor, tensor
from grouper.text.dataclass import dataclass, field, replace

MAX_CODE = 16 << 20  # bytes of all sources that are searched
MAX_LISTED = 1 << 20  # characters of a class's names
_ROOT = "__torch__"
_MANGLED = re.compile(r"\.___torch_mangle_\d+")
_CLASS = re.compile(
    r"^class ([^\s(:]+)\(Module\):\n((?:  __(?:parameters|buffers)__ = .*\n)*)", re.M
)
_LISTED = re.compile(r"^  __(parameters|buffers)__ = \[(.*)\]$", re.M)
# An unterminated string extends to the end: else each escaped quote in it would start another.
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|\\?$)')
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True)
class _Declared:
    """The tensors that a class's source declares; sources before torch 1.6 list no buffers."""

    parameters: frozenset[str]
    buffers: frozenset[str] | None


@dataclass
class _Archive:
    """The classes' declarations; each source is read when one of its classes is first needed."""

    file: BytesSource
    entries: Mapping[str, Entry]
    sources: dict[str, dict[str, _Declared]] = field(default_factory=dict)
    room: int = MAX_CODE
    taken_apart: dict[int, Parts] = field(default_factory=dict)

    def declared(self, value: Any) -> _Declared | None:
        """The declarations of a value's class; None if the value is not a module."""
        if not isinstance(value, Call) or not isinstance(value.function, Global):
            return None
        module = value.function.module
        if module.partition(".")[0] != _ROOT:
            return None
        if module not in self.sources:
            self.sources[module] = self._read(f"code/{module.replace('.', '/')}.py")
        return self.sources[module].get(value.function.name)

    def parts(self, value: Any) -> Parts:
        """A module's own tensors and children, computed once for a shared module."""
        if id(value) not in self.taken_apart:
            self.taken_apart[id(value)] = self._parts(value)
        return self.taken_apart[id(value)]

    def _parts(self, value: Any) -> Parts:
        declared = self.declared(value) or _Declared(frozenset(), None)
        state = attributes(value) or {}
        if len(state) > MAX_NAMES:
            raise too_many()
        tensors = {name: facts for name, v in state.items() if (facts := tensor(v)) is not None}
        others = tensors.keys() - declared.parameters
        if declared.buffers is not None:
            others &= declared.buffers
        parameters: list[tuple[str, Tensor, object]] = [
            (name, replace(facts, trains=_trains(state[name])), facts.storage or id(state[name]))
            for name, facts in tensors.items()
            if name in declared.parameters
        ]
        cls = class_name(value.function)
        return Parts(
            cls,
            bases_of(cls),
            parameters,
            [name for name in tensors if name in others],
            [(name, v) for name, v in state.items() if self.declared(v) is not None],
            len(state),
        )

    def _read(self, name: str) -> dict[str, _Declared]:
        entry = self.entries.get(name.casefold())
        if entry is None:
            return {}
        self.room -= entry.size
        source = member(self.file, entry).decode("utf-8", "replace") if self.room >= 0 else ""
        classes = _CLASS.findall(source)
        if self.room < 0 or any(len(lists) > MAX_LISTED for _, lists in classes):
            raise ModelError(
                codes.OVER_LIMIT,
                f"`{self.file.path}` is not read: its sources are longer than those of any model",
            )
        return {cls: _declaration(lists) for cls, lists in classes}


def recognises(entries: Mapping[str, Entry]) -> bool:
    """Whether an archive is TorchScript, by its members."""
    return record(entries, "constants.pkl") is not None or record(entries, "model.json") is not None


def read(file: BytesSource, entries: Mapping[str, Entry], key: str | None) -> Inventory:
    """The inventory of a TorchScript archive, with the parameters that torch would load."""
    description = record(entries, "data.pkl")
    if description is None:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is a TorchScript archive of torch before 1.3",
            "load it with torch and save it again: `torch.jit.save(torch.jit.load(path), path)`",
        )
    if key is not None:
        raise ModelError(
            codes.NO_SUCH_KEY,
            f"`{file.path}` has no model under `{key}`",
            "a TorchScript archive holds one model: omit `--key`",
        )
    top = next(iter(entries)).partition("/")[0] + "/"
    archive = _Archive(
        file, {name.removeprefix(top).casefold(): entry for name, entry in entries.items()}
    )
    root, _ = described(opened(file, description))
    if archive.declared(root) is None:
        raise cut_short(file.path)
    inventory = walked(root, archive.parts, "TorchScript")
    if not inventory.parameters:
        raise _without_parameters(file, archive)
    return inventory


def class_name(cls: Global) -> str:
    """The original class of a TorchScript type: its name without TorchScript's additions."""
    name = _MANGLED.sub("", cls.dotted).removeprefix(_ROOT + ".")
    return name if "." in name else f"__main__.{name}"


def _trains(value: Call) -> bool | None:
    """requires_grad: the fifth argument of the function that rebuilds a tensor."""
    arguments = value.arguments
    trains = arguments[4] if isinstance(arguments, tuple) and len(arguments) > 4 else None
    return trains if isinstance(trains, bool) else None


def _declaration(lists: str) -> _Declared:
    declared = {
        kind: frozenset(_ESCAPE.sub(_unescaped, name) for name in _TEXT.findall(names))
        for kind, names in _LISTED.findall(lists)
    }
    return _Declared(declared.get("parameters", frozenset()), declared.get("buffers"))


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    return chr(int(code, 8)) if len(code) == 3 else _ESCAPED.get(code, code)


def _without_parameters(file: BytesSource, archive: _Archive) -> ModelError:
    frozen = any(name.startswith("constants/") for name in archive.entries)
    why = "parameters are frozen into constants" if frozen else "modules have no parameters"
    return ModelError(
        codes.NOT_A_MODEL,
        f"`{file.path}` is a TorchScript archive whose {why}",
        "give the checkpoint that it was made from",
    )
