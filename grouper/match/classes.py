"""Which class a module has, by name: true, false, or unknown where its bases are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from grouper.language.syntax import tree
from grouper.match.globs import compile_glob
from grouper.model.class_bases import layers
from grouper.model.inventory import Module
from grouper.text.dataclass import dataclass, field


@dataclass
class ClassTest:
    """A test of a module's class; each class is looked at once."""

    name: tree.ClassName
    _known: dict[tuple[str, tuple[str, ...] | None], bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._matches = compile_glob(self.name.name)
        self._dotted = self.name.dotted

    def __call__(self, module: Module) -> bool | None:
        """None where the class is another, but its bases are not known."""
        key = (module.cls, module.bases)
        if key not in self._known:
            self._known[key] = self._answer(module)
        return self._known[key]

    @cached_property
    def asks_for_layers(self) -> bool:
        """Whether the class is one of torch's layers, which hold no other modules."""
        return any(map(self._is, layers()))

    def _answer(self, module: Module) -> bool | None:
        if self._is(module.cls):
            return True
        if module.bases is None:
            return None
        return any(map(self._is, module.bases))

    def _is(self, cls: str) -> bool:
        names = public_names(cls) if self._dotted else (cls.rpartition(".")[2],)
        return any(self._matches(name) is not None for name in names)


def public_names(cls: str) -> tuple[str, ...]:
    """A class's dotted names: `torch.nn.modules.linear.Linear` is also `torch.nn.Linear`."""
    if cls.startswith("torch.nn.modules."):
        return cls, f"torch.nn.{cls.rpartition('.')[2]}"
    return (cls,)


def owner_path(name: str, modules: Mapping[str, Module] | None) -> str:
    """The path of the module that owns a parameter, by the parameter's name."""
    path = name.rpartition(".")[0]
    while modules is not None and path and path not in modules:
        path = path.rpartition(".")[0]
    return path


def ancestors(path: str) -> tuple[str, ...]:
    """A path and all paths above it, the root (``) last."""
    found = [path]
    while path:
        path = path.rpartition(".")[0]
        found.append(path)
    return tuple(found)
