"""The findings of the syntax: faults that one statement shows by itself."""

from __future__ import annotations

from grouper.text.findings import Code, Severity

SYNTAX = Code(
    "GR001",
    "syntax-error",
    Severity.ERROR,
    """A statement is not written as the language asks.

The caret stands at the first thing that does not fit; the message says what was expected.
Only this statement is left out: the others are read as they are.

    model.24.* => head lr=0.01        # bad: the arrow is `->`
    model.24.* -> head lr=0.01        # good
""",
)
UNCLOSED = Code(
    "GR002",
    "unclosed",
    Severity.ERROR,
    """A string, regex, bracket, brace or parenthesis is opened and never closed.

Strings and regexes end on their own line; a split ends with `}`.

    "model.24.weight -> head          # bad
    "model.24.weight" -> head         # good
""",
)
BAD_PATTERN = Code(
    "GR003",
    "bad-pattern",
    Severity.ERROR,
    """A glob cannot match as it is written.

In a glob, `{a,b}` are alternatives, `{0..9}` is a range of integers, `{i}` captures a
number, `{i:0..9}` one within a range, and `[a-c]` is one character of a class.

    model.{9..0}.* -> head            # bad: the range is empty
    model.{0..9}.* -> head            # good
""",
)
BAD_REGEX = Code(
    "GR004",
    "bad-regex",
    Severity.ERROR,
    """A regex is not one that Python's `re` accepts.

    /layers\\.(\\d+/ -> block           # bad: the group is not closed
    /layers\\.(\\d+)/ -> block          # good
""",
)
COSTLY_REGEX = Code(
    "GR005",
    "costly-regex",
    Severity.ERROR,
    """A regex could need years on a name that it almost matches.

Where a repeated part can match the same text in several ways, `re` tries them all before it gives
up: the number of ways doubles with each character. Make the parts disjoint, or use a glob,
which is always matched in time proportional to the name.

    /(\\w+)*\\.bias/ -> bias            # bad: `\\w+` repeated by `*`
    /(\\w+\\.)*bias/ -> bias            # good: each part ends at a dot
""",
)
RESERVED = Code(
    "GR006",
    "reserved-word",
    Severity.ERROR,
    """A keyword is used where a name is expected.

Keywords are never labels or variables. A parameter or module that is called like a keyword
is written as a string.

    *.bias -> else                    # bad
    *.bias -> others                  # good
""",
)
EMPTY_RULE = Code(
    "GR007",
    "empty-rule",
    Severity.ERROR,
    """A rule gives neither a label nor an option, so it has no effect.

    *.bias ->                         # bad
    *.bias -> bias                    # good
""",
)
LIMIT = Code(
    "GR008",
    "too-large",
    Severity.ERROR,
    """Something in the file is beyond what a rules file can need.

Files of more than 512 KiB or 5,000 statements, more than 100 levels of nesting, numbers of more
than 100 characters, and globs that stand for more than 10,000 alternatives are refused, so that no
file can use up time or memory.
""",
)
STRAY_BRACE = Code(
    "GR009",
    "stray-brace",
    Severity.ERROR,
    """A `}` does not close a split.

Only `split NAME {` opens a block. Remove the brace, or write the opening line of its split.
""",
)
MISPLACED = Code(
    "GR010",
    "misplaced-statement",
    Severity.ERROR,
    """A statement is used where only rules may be, or the other way round.

The braces of a split hold rules: `S -> label options` and `else` rules. Everything else, an
`override` and another split too, stands at the top level of the file.
""",
)
UNKNOWN_STATEMENT = Code(
    "GR011",
    "unknown-statement",
    Severity.ERROR,
    """A line begins with a word that is neither a statement nor, without `->`, a rule.

    optimzer SGD lr=0.01              # bad
    optimizer SGD lr=0.01             # good
""",
)
BAD_NUMBER = Code(
    "GR012",
    "bad-number",
    Severity.ERROR,
    """A number is not written as a decimal number.

    lr=1e                             # bad
    lr=1e-3                           # good
""",
)

ALL = (
    SYNTAX,
    UNCLOSED,
    BAD_PATTERN,
    BAD_REGEX,
    COSTLY_REGEX,
    RESERVED,
    EMPTY_RULE,
    LIMIT,
    STRAY_BRACE,
    MISPLACED,
    UNKNOWN_STATEMENT,
    BAD_NUMBER,
)
