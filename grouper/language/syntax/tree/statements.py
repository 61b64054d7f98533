"""Statements, the parts of rules, and the file."""

from __future__ import annotations

from typing import TypeAlias

from grouper.language.syntax.tree.expressions import Expression, Option, Word
from grouper.language.syntax.tree.node import Node
from grouper.language.syntax.tree.patterns import Text
from grouper.language.syntax.tree.selectors import Comparison, Selector
from grouper.text.dataclass import dataclass, field
from grouper.text.source import Span


@dataclass(frozen=True)
class Label(Node):
    """`head`, `block{i}`: literal text and captures, in turn; captures are `Word`s."""

    pieces: tuple[Text | Word, ...]


@dataclass(frozen=True)
class Rule(Node):
    """`S where C -> label options`; `otherwise` for `else` rules, whose selector may be missing.

    `condition` is made of comparisons, `not`, `and`, `or`. `optional` rules may match nothing.
    """

    selector: Selector | None
    label: Label | None = None
    options: tuple[Option, ...] = ()
    otherwise: bool = False
    override: bool = False
    condition: Selector | None = None
    optional: bool = False


@dataclass(frozen=True)
class Let(Node):
    name: str
    value: Expression
    name_span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Include(Node):
    path: str


@dataclass(frozen=True)
class For(Node):
    """`for "small.json"`: a model that the file is written for."""

    path: str


@dataclass(frozen=True)
class BaseModel(Node):
    """`base_model "small.json"`: the model whose facts `base_model.fan_in` and others are."""

    path: str


@dataclass(frozen=True)
class Tag(Node):
    """`tag param_group, use_muon`: keys that the groups carry for other readers."""

    names: tuple[str, ...]
    name_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Optimizer(Node):
    """`optimizer NAME options`; `alias` is the name of `as`."""

    name: str
    alias: str | None = None
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Warmup(Node):
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Schedule(Node):
    """`schedule NAME options`; `key` is the option that it moves, `lr` where it is not named."""

    name: str
    options: tuple[Option, ...] = ()
    key: str | None = None
    key_span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)
    name_span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Split(Node):
    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Strict(Node):
    pass


@dataclass(frozen=True)
class Expect(Node):
    """A claim: a comparison, or `value in first..last`, both ends included.

    `after_warmup` holds a claim about the plan to the steps that follow the warm-up.
    """

    claim: Comparison | Between
    after_warmup: bool = False


@dataclass(frozen=True)
class Between(Node):
    value: Expression
    first: Expression
    last: Expression


@dataclass(frozen=True)
class Allow(Node):
    code: str
    selector: Selector | None = None


Statement: TypeAlias = (
    Rule
    | Let
    | Include
    | For
    | BaseModel
    | Tag
    | Optimizer
    | Warmup
    | Schedule
    | Split
    | Strict
    | Expect
    | Allow
)


@dataclass(frozen=True)
class Comment(Node):
    """`# ...` to the end of its line, the `#` included."""

    text: str


@dataclass(frozen=True)
class File(Node):
    """A rules file: its statements, and its comments in order (they depend on spans alone)."""

    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
