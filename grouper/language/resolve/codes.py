"""The findings of resolving: names, words and values that a rules file shows without a model."""

from __future__ import annotations

from grouper.text.findings import Code, Severity

MISSING_FILE = Code(
    "GR020",
    "missing-include",
    Severity.ERROR,
    """An `include` names a file that is neither beside the including file nor a shipped one.

    include "warmpu.rules"            # bad
    include "warmup.rules"            # good
""",
)
INCLUDE_CYCLE = Code(
    "GR021",
    "include-cycle",
    Severity.ERROR,
    """Files include each other in a circle, or more than 20 levels deep.

Move what both need into a third file that includes neither.
""",
)
UNKNOWN_OVERRIDE = Code(
    "GR022",
    "unknown-override",
    Severity.ERROR,
    """A caller sets a variable (`--set x=1`, `load(..., x=1)`) that no `let` declares.

    grouper check m.pt my.rules --set bsae=0.1    # bad, where the file says `let base = 0.01`
    grouper check m.pt my.rules --set base=0.1    # good
""",
)
UNKNOWN_NAME = Code(
    "GR023",
    "unknown-name",
    Severity.ERROR,
    """A word stands where a variable, a function, an option, a label or an optimizer is meant, and
nothing has that name.

    *.bias -> bias lr=bsae * 2        # bad, where the file says `let base = 0.01`
    *.bias -> bias lr=base * 2        # good
""",
)
DUPLICATE = Code(
    "GR024",
    "duplicate",
    Severity.ERROR,
    """Something that may be said once is said twice: a variable, a key in one rule, an optimizer's
name, `warmup`, `schedule`, a split's name, or one label in two splits.

Two values for one thing would need an order in which one of them wins, and nothing wins silently.

    *.bias -> bias lr=0.1 lr=0.2      # bad
    *.bias -> bias lr=0.2             # good
""",
)
UNKNOWN_CAPTURE = Code(
    "GR025",
    "unknown-capture",
    Severity.ERROR,
    """A label or `max(...)` uses a number that the rule's selector does not capture, or captures
only in some of its alternatives.

    layer.{i}.* -> block{j}           # bad
    layer.{i}.* -> block{i}           # good
""",
)
BAD_VALUE = Code(
    "GR026",
    "bad-value",
    Severity.ERROR,
    """A value cannot be computed, or is not of the kind that its key needs.

Values are finite numbers: division by zero, overflow and `nan` are errors at their place.

    let base = 1 / 0                  # bad
    warmup epochs=three               # bad
    warmup epochs=3                   # good
""",
)
UNUSED_LET = Code(
    "GR027",
    "unused-let",
    Severity.WARNING,
    """A variable is declared and nothing uses it.

It may be a leftover, or a rule that should use it has a number instead.

    let base = 0.01
    * -> all lr=0.02                  # bad: `base` is never used
    * -> all lr=base                  # good
""",
)
FROZEN_OPTIONS = Code(
    "GR028",
    "frozen-options",
    Severity.ERROR,
    """A rule freezes its parameters and gives them options, too.

Frozen parameters are in no group, so the options have no effect.

    *.bn.* -> bn freeze lr=0.01       # bad
    *.bn.* -> bn freeze               # good
""",
)
MISPLACED_OPTION = Code(
    "GR029",
    "misplaced-option",
    Severity.ERROR,
    """An option is used where it has no meaning: a multiplier in a statement that only sets, a flag
with a value, a plan's key in `optimizer`.

    optimizer SGD lr*=0.1             # bad
    optimizer SGD lr=0.01             # good
""",
)

ALL = (
    MISSING_FILE,
    INCLUDE_CYCLE,
    UNKNOWN_OVERRIDE,
    UNKNOWN_NAME,
    DUPLICATE,
    UNKNOWN_CAPTURE,
    BAD_VALUE,
    UNUSED_LET,
    FROZEN_OPTIONS,
    MISPLACED_OPTION,
)
