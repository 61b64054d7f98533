"""The findings of matching and assigning: values that fail for this model's parameters."""

from __future__ import annotations

from grouper.findings import Code, Severity

BAD_RESULT = Code(
    "GR060",
    "bad-result",
    Severity.ERROR,
    """An option's value cannot be computed for some of the parameters that its rule matches.

Facts of the parameter (`fan_in`, `shape[1]`, ...) and captured numbers differ from parameter to
parameter: for some of them there is no value, or it is no finite number.

    * -> all lr=0.1 / fan_in              # bad: biases have no fan
    ndim >= 2 -> weight lr=0.1 / fan_in   # good
""",
)
NOTHING_TO_MULTIPLY = Code(
    "GR061",
    "nothing-to-multiply",
    Severity.ERROR,
    """A rule multiplies an option that nothing sets.

`key*=value` multiplies what another rule or the optimizer's defaults set.

    *.bias -> bias lr*=2                  # bad, without `optimizer SGD lr=0.01`
""",
)
BAD_SELECTOR = Code(
    "GR062",
    "bad-selector",
    Severity.ERROR,
    """A selector cannot be answered for some parameter: a comparison of a number with a word, or a
regex that could take minutes on a very long name.

    dtype == 16 -> half                   # bad
    dtype == float16 -> half              # good
""",
)

ALL = (BAD_RESULT, NOTHING_TO_MULTIPLY, BAD_SELECTOR)
