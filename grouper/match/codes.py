"""The findings of matching and assigning: values that fail for this model's parameters."""

from __future__ import annotations

from grouper.text.findings import Code, Severity

BAD_RESULT = Code(
    "GR060",
    "bad-result",
    Severity.ERROR,
    """An option's value cannot be computed for some of the parameters that its rule matches.

Facts of the parameter (`fan_in`, `shape[1]`, ...) and captured numbers differ from parameter to
parameter: for some of them there is no value, or it is not a finite number.

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
TOO_MUCH_WORK = Code(
    "GR063",
    "too-much-work",
    Severity.ERROR,
    """The rules times the parameters are more than a check does in about a minute.

Names, and globs that start with a module's path, are asked of the parameters whose names start so.
Every other selector is asked of every parameter. And what several rules match, each of them gives
its options.

    /^layers\\.17\\./ -> layer17 lr=0.1    # bad, times thousands
    layers.17.*      -> layer17 lr=0.1    # good
""",
)

NUMBERS_DIFFER = Code(
    "GR064",
    "numbers-differ",
    Severity.ERROR,
    """Two rules of a block capture different numbers by one name, and the block counts them.

A name stands for one family of numbers in its block, so that `count(i)`, `rank(i)`, `min(i)` and
`max(i)` mean one thing.

    encoder.{i}.* -> encoder{i} lr*=0.9 ** (count(i) - rank(i))
    decoder.{i}.* -> decoder{i}           # bad, where there are more of them
    decoder.{j}.* -> decoder{j}           # good
""",
)
TIED_NUMBERS = Code(
    "GR065",
    "tied-numbers",
    Severity.ERROR,
    """Several names of a shared parameter give a capture different numbers.

Its label or its values could follow one name or the other. A rule of its own, before an `else`,
says what it gets.

    layers.{i}.* -> layer{i}                       # bad, where layers share a parameter
    tied and layers.* -> shared                    # good
    else layers.{i}.* -> layer{i}
""",
)

ALL = (NUMBERS_DIFFER, TIED_NUMBERS, BAD_RESULT, NOTHING_TO_MULTIPLY, BAD_SELECTOR, TOO_MUCH_WORK)
