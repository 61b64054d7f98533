"""Selectors: which parameters a rule is for."""

from __future__ import annotations

from typing import Literal as OneOf
from typing import TypeAlias

from grouper.language.syntax.tree.expressions import Expression
from grouper.language.syntax.tree.node import Node
from grouper.language.syntax.tree.patterns import Glob, Text
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Regex(Node):
    """`/regex/`: Python's `re`, searched anywhere in the name."""

    pattern: str


@dataclass(frozen=True)
class Exact(Node):
    """`"exact.name"`: that one name."""

    name: str


@dataclass(frozen=True)
class ClassName(Node):
    """`@Conv2d`, `@*Norm*`, `@torch.nn.Linear`: a class or a base class, by name."""

    name: Glob

    @property
    def dotted(self) -> bool:
        return any(isinstance(p, Text) and "." in p.text for p in self.name.pieces)


@dataclass(frozen=True)
class Within(Node):
    """`in model.24`, `in @Detect`: the owning module or one above it."""

    module: Glob | Exact | ClassName


@dataclass(frozen=True)
class Comparison(Node):
    """`ndim == 2`, `shape[0] == 80`, `dtype == float16`: a fact about the tensor."""

    left: Expression
    operator: OneOf["==", "!=", "<", "<=", ">", ">="]
    right: Expression


@dataclass(frozen=True)
class Flag(Node):
    """`trainable`, `tied`: a fact that is so or not."""

    name: OneOf["trainable", "tied"]


@dataclass(frozen=True)
class Has(Node):
    """`has no_weight_decay`: an attribute of the parameter, or a list of a module above it."""

    name: str


@dataclass(frozen=True)
class Not(Node):
    operand: Selector


@dataclass(frozen=True)
class And(Node):
    operands: tuple[Selector, ...]


@dataclass(frozen=True)
class Or(Node):
    operands: tuple[Selector, ...]


Selector: TypeAlias = (
    Glob | Regex | Exact | ClassName | Within | Comparison | Flag | Has | Not | And | Or
)
