"""Checks of arguments that several calls share."""

from __future__ import annotations

from grouper.api.rules import Rules
from grouper.checks.report import Report
from grouper.text.arguments import require, require_integer
from grouper.text.printable import quoted_list


def require_part(rules: Rules, names: bool, prefix: str | None) -> None:
    """Raises TypeError for a `prefix` without a report of the whole."""
    require("names", names, bool, "True or False")
    require("prefix", prefix, (str, type(None)), "what the names of a part lack, or None")
    if prefix is not None and not isinstance(rules, Report):
        raise TypeError(
            "`prefix` says where a part is in the whole, so in the place of rules there must be a"
            " report of the whole: `grouper.check(whole, rules)`"
        )


def run_length(
    steps: int | None, steps_per_epoch: int | None, epochs: int | None
) -> tuple[int, int, bool]:
    """The steps of an epoch, the epochs, and whether the run is counted in steps alone."""
    given = {"steps": steps, "steps_per_epoch": steps_per_epoch, "epochs": epochs}
    named = {key for key, value in given.items() if value is not None}
    if named not in ({"steps"}, {"steps_per_epoch", "epochs"}):
        raise TypeError(
            "the length of a run is `steps`, or `steps_per_epoch` and `epochs`; given were"
            f" {quoted_list(sorted(named)) or 'none of them'}"
        )
    for key in sorted(named):
        what = "the length of the loader" if key == "steps_per_epoch" else "the run's length"
        require_integer(key, given[key], 1, what)
    if steps is not None:
        return steps, 1, True
    assert steps_per_epoch is not None
    assert epochs is not None
    return steps_per_epoch, epochs, False
