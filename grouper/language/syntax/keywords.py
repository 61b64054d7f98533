"""The words of the language, which are no names."""

# fmt: off
STATEMENTS = (
    "let", "include", "optimizer", "warmup", "schedule", "split", "strict", "expect", "allow",
    "override", "else",
)
KEYWORDS = frozenset((
    *STATEMENTS, "as", "in", "not", "and", "or", "freeze", "trainable", "tied", "true", "false",
    "none",
))
# fmt: on
