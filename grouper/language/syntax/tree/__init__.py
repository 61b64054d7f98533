"""The syntax tree of a rules file: what was written, where, and nothing decided yet.

Nodes are frozen values. Spans do not take part in equality, so that a file and its
formatted text have equal trees. Selectors and expressions are used as they are by the
resolved rule set, too.
"""

from grouper.language.syntax.tree.expressions import (
    Attribute as Attribute,
)
from grouper.language.syntax.tree.expressions import (
    Binary as Binary,
)
from grouper.language.syntax.tree.expressions import (
    Call as Call,
)
from grouper.language.syntax.tree.expressions import (
    Configured as Configured,
)
from grouper.language.syntax.tree.expressions import (
    Constant as Constant,
)
from grouper.language.syntax.tree.expressions import (
    Expression as Expression,
)
from grouper.language.syntax.tree.expressions import (
    Number as Number,
)
from grouper.language.syntax.tree.expressions import (
    Option as Option,
)
from grouper.language.syntax.tree.expressions import (
    String as String,
)
from grouper.language.syntax.tree.expressions import (
    Subscript as Subscript,
)
from grouper.language.syntax.tree.expressions import (
    Tuple as Tuple,
)
from grouper.language.syntax.tree.expressions import (
    Unary as Unary,
)
from grouper.language.syntax.tree.expressions import (
    Word as Word,
)
from grouper.language.syntax.tree.node import (
    Node as Node,
)
from grouper.language.syntax.tree.patterns import (
    Alternatives as Alternatives,
)
from grouper.language.syntax.tree.patterns import (
    CharacterClass as CharacterClass,
)
from grouper.language.syntax.tree.patterns import (
    Glob as Glob,
)
from grouper.language.syntax.tree.patterns import (
    Integer as Integer,
)
from grouper.language.syntax.tree.patterns import (
    Piece as Piece,
)
from grouper.language.syntax.tree.patterns import (
    QuestionMark as QuestionMark,
)
from grouper.language.syntax.tree.patterns import (
    Star as Star,
)
from grouper.language.syntax.tree.patterns import (
    Text as Text,
)
from grouper.language.syntax.tree.selectors import (
    And as And,
)
from grouper.language.syntax.tree.selectors import (
    ClassName as ClassName,
)
from grouper.language.syntax.tree.selectors import (
    Comparison as Comparison,
)
from grouper.language.syntax.tree.selectors import (
    Exact as Exact,
)
from grouper.language.syntax.tree.selectors import (
    Flag as Flag,
)
from grouper.language.syntax.tree.selectors import (
    Has as Has,
)
from grouper.language.syntax.tree.selectors import (
    Not as Not,
)
from grouper.language.syntax.tree.selectors import (
    Or as Or,
)
from grouper.language.syntax.tree.selectors import (
    Regex as Regex,
)
from grouper.language.syntax.tree.selectors import (
    Selector as Selector,
)
from grouper.language.syntax.tree.selectors import (
    Within as Within,
)
from grouper.language.syntax.tree.statements import (
    Allow as Allow,
)
from grouper.language.syntax.tree.statements import (
    BaseModel as BaseModel,
)
from grouper.language.syntax.tree.statements import (
    Between as Between,
)
from grouper.language.syntax.tree.statements import (
    Comment as Comment,
)
from grouper.language.syntax.tree.statements import (
    Expect as Expect,
)
from grouper.language.syntax.tree.statements import (
    File as File,
)
from grouper.language.syntax.tree.statements import (
    For as For,
)
from grouper.language.syntax.tree.statements import (
    Include as Include,
)
from grouper.language.syntax.tree.statements import (
    Label as Label,
)
from grouper.language.syntax.tree.statements import (
    Let as Let,
)
from grouper.language.syntax.tree.statements import (
    Optimizer as Optimizer,
)
from grouper.language.syntax.tree.statements import (
    Rule as Rule,
)
from grouper.language.syntax.tree.statements import (
    Schedule as Schedule,
)
from grouper.language.syntax.tree.statements import (
    Split as Split,
)
from grouper.language.syntax.tree.statements import (
    Statement as Statement,
)
from grouper.language.syntax.tree.statements import (
    Strict as Strict,
)
from grouper.language.syntax.tree.statements import (
    Tag as Tag,
)
from grouper.language.syntax.tree.statements import (
    Warmup as Warmup,
)
