"""The syntax tree of a rules file: what was written, where, and nothing decided yet.

Nodes are frozen values. Spans do not take part in equality, so that a file and its
formatted text have equal trees. Selectors and expressions are used as they are by the
resolved rule set, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import TypeAlias

from grouper.text.source import Span


@dataclass(frozen=True, kw_only=True)
class Node:
    """Something written in a rules file; built in Python, it has no span."""

    span: Span | None = field(default=None, compare=False, repr=False)


# --- names: the pieces of a glob ---------------------------------------------------------


@dataclass(frozen=True)
class Text(Node):
    """Characters that stand for themselves."""

    text: str


@dataclass(frozen=True)
class Star(Node):
    """`*`: any run of characters, dots included."""


@dataclass(frozen=True)
class QuestionMark(Node):
    """`?`: one character but a dot."""


@dataclass(frozen=True)
class CharacterClass(Node):
    """`[a-c]`, `[!0]`: one character of a class; `ranges` are inclusive pairs of characters."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True)
class Alternatives(Node):
    """`{conv1,conv2}`: any of them."""

    options: tuple[Glob, ...]


@dataclass(frozen=True)
class Integer(Node):
    """`{0..9}`, `{i}`, `{i:0..9}`: a whole number without leading zeros, perhaps captured."""

    capture: str | None = None
    first: int | None = None
    last: int | None = None


Piece: TypeAlias = Text | Star | QuestionMark | CharacterClass | Alternatives | Integer


@dataclass(frozen=True)
class Glob(Node):
    """A shell-style pattern over a whole dotted name."""

    pieces: tuple[Piece, ...]


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

# --- expressions -------------------------------------------------------------------------


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

# --- statements --------------------------------------------------------------------------


@dataclass(frozen=True)
class Label(Node):
    """`head`, `block{i}`: literal text and captures, in turn; captures are `Word`s."""

    pieces: tuple[Text | Word, ...]


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
    """A rules file: its statements, and its comments in order (they hang on spans alone)."""

    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
