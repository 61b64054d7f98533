"""A group never reaches the lr that the rules set for it.

The run or the group's window ends during the group's warm-up, so the lr is never reached (and for a
warm-up that starts high, as for biases, never comes down). Or the warm-up is so long that the
schedule is below half of the lr when it ends, since a schedule starts with the run unless it has
`after=warmup`. This is checked when the run's length is known: by `grouper plan`, `grouper.plan`,
its scheduler and trainers.

    warmup epochs=3 min_steps=100     # bad for a run of 5 epochs of 8 steps
    warmup share=0.1                  # good for a run of any length
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from grouper.checks.context import Context, all_names
from grouper.group.group import Group
from grouper.text.findings import Code, Finding, Label, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR211", "unreached-lr", Severity.WARNING, __doc__ or "")
MOST_GROUPS = 6
AFTER = "; with `after=warmup`, the schedule starts when the warm-up ends"
LENGTHS = "warmup_steps", "warmup_epochs", "warmup_share"


class Unreached(Protocol):
    """A group of a plan that does not reach its `lr`.

    `reached` is its lr at `step`: the last step at which it trains, if that is `inside` its warm-up
    of `warmup_steps`, or else the step at which the warm-up ends.
    """

    @property
    def group(self) -> str: ...
    @property
    def lr(self) -> float: ...
    @property
    def reached(self) -> float: ...
    @property
    def step(self) -> int: ...
    @property
    def warmup_steps(self) -> int: ...
    @property
    def inside(self) -> bool: ...


def findings(context: Context, unreached: Iterable[Unreached]) -> Iterator[Finding]:
    """One finding for all groups that fail in the same way."""
    alike: dict[tuple[bool, int, int], list[Unreached]] = {}
    for one in unreached:
        alike.setdefault((one.inside, one.step, one.warmup_steps), []).append(one)
    by_name = {group.name: group for group in context.grouping.groups}
    for (inside, step, length), members in alike.items():
        groups = [by_name[one.group] for one in members]
        yield Finding(
            CODE,
            (_ends_inside if inside else _ends_late)(members, step, length),
            _labels(context, groups),
            all_names([parameter for group in groups for parameter in group.parameters]),
            help="shorten the warm-up (`share=0.1` is a tenth of any run, but `min_steps` also"
            " applies to short ones), or train for longer" + ("" if inside else AFTER),
        )


def _ends_inside(members: list[Unreached], step: int, length: int) -> str:
    ends = [f"`{one.group}` ends at {one.reached:.4g} instead of {one.lr:.4g}" for one in members]
    return (
        f"training ends at step {step}, inside a warm-up of {length} steps, so the lr of"
        f" {_listed(ends)}"
    )


def _ends_late(members: list[Unreached], step: int, length: int) -> str:
    ends = [f"`{one.group}` is {one.reached:.4g} instead of {one.lr:.4g}" for one in members]
    return (
        f"the schedule is below half when the warm-up of {length} steps ends, at step {step}, so"
        f" the lr of {_listed(ends)}"
    )


def _listed(items: list[str]) -> str:
    hidden = len(items) - MOST_GROUPS
    more = [f"and {count_phrase(range(hidden), 'more group')}"] if hidden > 0 else []
    return ", ".join(items[:MOST_GROUPS] + more)


def _labels(context: Context, groups: list[Group]) -> tuple[Label, ...]:
    """The options that set these groups' own warm-ups, or else the `warmup` statement."""
    spans = {
        setting.setting.option.span: None
        for group in groups
        for setting in context.group_options[group.name]
        if setting.setting.option.key in LENGTHS
    }
    warmup = context.rules.warmup
    own = [label for span in spans for label in labels_at(span)]
    return tuple(own) or labels_at(warmup.span if warmup else None)
