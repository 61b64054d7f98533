"""Values: what follows `=`, in conditions and in claims."""

from __future__ import annotations

from typing import Literal as OneOf
from typing import TypeAlias

from grouper.language.syntax.tree.node import Node
from grouper.text.dataclass import dataclass, field
from grouper.text.source import Span


@dataclass(frozen=True)
class Number(Node):
    """A number; `text` is as written (`5e-4`), so that the formatter keeps it."""

    value: int | float
    text: str = field(default="", compare=False)


@dataclass(frozen=True)
class Constant(Node):
    """`true`, `false`, `none`."""

    value: bool | None


@dataclass(frozen=True)
class String(Node):
    value: str


@dataclass(frozen=True)
class Word(Node):
    """A bare word: a variable, a capture, a fact of the parameter, or a value like `cosine`."""

    name: str


@dataclass(frozen=True)
class Subscript(Node):
    """`shape[0]`, `base_model.shape[0]`, `rates[i]`; negative numbers count from the end."""

    of: Word | Attribute
    index: Expression


@dataclass(frozen=True)
class Attribute(Node):
    """`head.lr`: an option of a label's groups, in `expect`; `base_model.fan_in`: a fact of the
    parameter of the same name in the base model."""

    label: str
    key: str


@dataclass(frozen=True)
class Tuple(Node):
    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Unary(Node):
    operator: OneOf["+", "-"]
    operand: Expression


@dataclass(frozen=True)
class Binary(Node):
    operator: OneOf["+", "-", "*", "/", "//", "%", "**"]
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call(Node):
    """`max(i)`, `rank(s, b)`, `sqrt(fan_in)`, `count(label)`; in `expect` also `lr(label)`."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Option(Node):
    """`key=value`, `key*=value`, or a flag (`freeze`), whose value is `Constant(True)`.

    `key_span` covers the key alone; `span` the whole option.
    """

    key: str
    operator: OneOf["=", "*=", "flag"]
    value: Expression
    key_span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Configured(Node):
    """`step(size=10, gamma=0.5)`: a schedule with its own options, as the value of `schedule=`."""

    name: str
    options: tuple[Option, ...]


Expression: TypeAlias = (
    Number
    | Constant
    | String
    | Word
    | Subscript
    | Attribute
    | Tuple
    | Unary
    | Binary
    | Call
    | Configured
)
