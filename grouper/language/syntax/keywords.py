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
# Words that are keywords only in their place, and names everywhere else.
CONTEXTUAL = frozenset((
    "for", "base_model", "tag", "optional", "has", "where", "after",
))
# fmt: on
