"""Classifies parameters by the class of the module that owns them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import cached_property

from grouper.match.classes import owner_path
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.text.dataclass import dataclass

_NORM = re.compile(r"norm|^DyT$", re.IGNORECASE)
_NO_NORM = re.compile(r"embed|linear|conv|mlp|attn|attention|block|head|proj|mixer", re.IGNORECASE)
_LINEAR = re.compile(r"linear|^Conv1D$|^Dense", re.IGNORECASE)
_TRANSPOSED = re.compile(r"^(Conv1D|ConvTranspose\dd)$")


class Kind(Enum):
    """A kind of parameter, as distinguished by recipes for decay and rates."""

    NORM = "norm"  # the scale of a normalisation
    BIAS = "bias"  # the bias of any module
    EMBEDDING = "embedding"
    LINEAR = "linear"  # the matrix of a linear layer
    CONV = "convolution"
    OTHER = "other"  # of another module
    BARE = "bare"  # a parameter of a module with submodules, such as a token
    UNKNOWN = "unknown"  # the file has no classes


@dataclass(frozen=True)
class ModuleKinds:
    """The kinds of the parameters of a model."""

    inventory: Inventory

    def owner(self, parameter: Parameter) -> Module | None:
        """The module that owns a parameter by its first name; None if classes are unknown."""
        modules = self.inventory.modules
        return modules.get(owner_path(parameter.name, modules)) if modules is not None else None

    def class_name(self, parameter: Parameter) -> str:
        """The owner's class without its package; empty if unknown."""
        owner = self.owner(parameter)
        return last_part(owner.cls) if owner is not None else ""

    @cached_property
    def of(self) -> Mapping[int, Kind]:
        """The kind of each parameter, by its `id`."""
        kinds: dict[int, Kind] = {}
        by_path: dict[str, Kind] = {}
        bias, unknown = Kind.BIAS, Kind.UNKNOWN
        for parameter in self.inventory.parameters:
            path, _, role = parameter.names[0].rpartition(".")
            kind = by_path.get(path)
            if kind is None:
                kind = by_path[path] = self._of_owner(parameter)
            named = role == "bias" or (role.endswith("_bias") and parameter.ndim == 1)
            kinds[id(parameter)] = bias if named and kind is not unknown else kind
        return kinds

    @cached_property
    def _by_class(self) -> dict[tuple[str, tuple[str, ...] | None], Kind]:
        return {}

    def _of_owner(self, parameter: Parameter) -> Kind:
        """The kind of a parameter that is not a bias, by its owner."""
        owner = self.owner(parameter)
        if owner is None or not owner.cls:
            return Kind.UNKNOWN
        if owner.path in self.inventory.holders or not owner.path:
            return Kind.BARE
        kind = self._by_class.get((owner.cls, owner.bases))
        if kind is None:
            kind = self._by_class[owner.cls, owner.bases] = class_kind(owner)
        return kind

    def is_matrix(self, parameter: Parameter) -> bool:
        """Whether a parameter is the weight of a linear layer, a convolution or an embedding."""
        ordinary = (Kind.LINEAR, Kind.CONV, Kind.EMBEDDING)
        return self.of[id(parameter)] in ordinary and (parameter.ndim or 2) >= 2

    def is_transposed(self, parameter: Parameter) -> bool:
        """Whether the weight has the layout (in, out), so that `fan_in` is not its input size."""
        return bool(_TRANSPOSED.match(self.class_name(parameter)))


def class_kind(module: Module) -> Kind:
    """The kind of the parameters of a module of this class, except for biases."""
    own = last_part(module.cls)
    bases = [last_part(base) for base in module.bases or ()]
    if is_norm(own):
        return Kind.NORM
    if "Embedding" in bases or own.endswith("Embedding") or "EmbeddingBag" in (own, *bases):
        return Kind.EMBEDDING
    if "Linear" in bases or _LINEAR.search(own):
        return Kind.LINEAR
    if "_ConvNd" in bases or re.match(r"\w*Conv\w*\dd", own):
        return Kind.CONV
    if any(_NORM.search(base) for base in bases):
        return Kind.NORM
    return Kind.OTHER


def is_norm(name: str) -> bool:
    """Whether a class has the name of a normalisation."""
    return _NORM.search(name) is not None and _NO_NORM.search(name) is None


def last_part(name: str) -> str:
    """The part after the last dot."""
    return name.rpartition(".")[2]
