"""The inventory: facts about a model's parameters and modules, without tensors.

None means that the model's file does not say; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import prod
from typing import Literal

from grouper.model.marks import Marks
from grouper.text.arguments import require_all
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Finding
from grouper.text.printable import size_phrase, visible
from grouper.text.shown import Shown, line


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the model. `bases` are the dotted names of its class's bases, nearest first.

    `inferred` is True if the file has no classes: `cls` is then the base class that its tensors
    prove, or empty.
    """

    path: str
    cls: str
    bases: tuple[str, ...] | None = None
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, listed once even if several modules share it.

    `names` are all its names without wrappers, for selectors; the first is the model's own.
    `stored` is that first name as in the model or file, wrappers included. `shape` holds sizes in
    elements. `inferred` is True if the file does not distinguish parameters from buffers and
    grouper treats it as a parameter; `unsure` if it could equally be a buffer.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...] | None
    dtype: str | None
    trainable: bool | None
    stored: str
    inferred: bool = False
    unsure: bool = False

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def numel(self) -> int | None:
        return None if self.shape is None else prod(self.shape)

    @property
    def ndim(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    @property
    def tied(self) -> bool:
        return len(self.names) > 1


@dataclass(frozen=True, repr=False)
class Inventory(Shown):
    """A model's parameters in its own order, and its modules by path (None: no classes known).

    If classes are inferred, every named module is listed, each with `inferred` set.

    `path` is what the user gave, `kind` describes it ("pickled model", "state dict", "safetensors",
    "nn.Module", ...), `key` is the model's place inside a checkpoint. `order` is "module" for the
    model's own order, "sorted" if the format sorts. `buffers` are names of tensors that are not
    parameters. `remarks` are printed under the model's line (what was inferred); `findings` are
    repeated in every report on the model. `marks` are the marks that the model puts on its
    parameters, None if only tensors are known.
    """

    parameters: tuple[Parameter, ...]
    modules: Mapping[str, Module] | None = None
    path: str = "<model>"
    kind: str = "nn.Module"
    key: str | None = None
    order: Literal["module", "sorted"] = "module"
    buffers: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), compare=False)
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    marks: Marks | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        size = f"{len(self.parameters)} tensors, {size_phrase(self.numel)}"
        return line(self, visible(f"{self.path} ({self.kind}): {size}"))

    def __post_init__(self) -> None:
        require_all("parameters", self.parameters, Parameter, "a tuple of parameters")

    @property
    def numel(self) -> int:
        return sum(parameter.numel or 0 for parameter in self.parameters)

    @cached_property
    def holders(self) -> frozenset[str]:
        """The paths of modules that have children."""
        return frozenset(path.rpartition(".")[0] for path in self.modules or () if path)

    @cached_property
    def ties(self) -> bool:
        """Whether any parameter is shared."""
        return any(len(parameter.names) > 1 for parameter in self.parameters)

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """Maps every name, tied ones included, to its parameter."""
        return {name: parameter for parameter in self.parameters for name in parameter.names}

    def passes(self, names: int, most: int) -> int:
        """How often all parameters can be gone through, where `names` may be looked at in all: from
        once to `most` times."""
        return max(min(names // max(len(self.parameters), 1), most), 1)

    @cached_property
    def words(self) -> Mapping[str, None]:
        """The parts of names, between dots, that are no numbers; in the model's order."""
        parts = dict.fromkeys(part for name in self.by_name for part in name.split("."))
        return {part: None for part in parts if not part.isdigit()}

    @cached_property
    def children(self) -> Mapping[str, Mapping[str, None]]:
        """What the names have after each path, the whole name's last part included."""
        below: dict[str, dict[str, None]] = {}
        for name in self.by_name:
            path = name
            while path:
                path, _, part = path.rpartition(".")
                known = below.setdefault(path, {})
                if part in known:
                    break
                known[part] = None
        return below


NO_MODEL = Inventory((), path="", kind="no model")  # for rules checked without a model
