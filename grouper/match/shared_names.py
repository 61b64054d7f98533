"""What a selector answers for each name of a parameter that several modules share."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.match.answers import Answer, Test
from grouper.model.inventory import Parameter
from grouper.text.dataclass import replace


def answers_by_name(test: Test, parameter: Parameter) -> Mapping[str, Answer]:
    """What a selector that matches the parameter answers to each of its names, by the name; names
    that do not match are left out. Where several names are needed to match, the first stands for
    them."""
    whole = test(parameter)
    if not whole.truth:
        return {}
    if not parameter.tied:
        return {parameter.name: whole}
    # Each name twice: it stays a shared parameter.
    each = {name: test(replace(parameter, names=(name, name))) for name in parameter.names}
    return {parameter.names[whole.name_index]: whole} | {n: a for n, a in each.items() if a.truth}
