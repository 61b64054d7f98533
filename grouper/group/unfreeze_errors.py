"""Why a label cannot be unfrozen, in words."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from grouper.group.group import FrozenGroup, Group
from grouper.text.printable import quoted_list
from grouper.text.similar import did_you_mean


def nothing_to_unfreeze(label: str, groups: Iterable[Group], frozen: Sequence[FrozenGroup]) -> str:
    """The error where no rule froze this label: it is trained, misspelt, or missing."""
    trained = [group.name for group in groups if group.called(label)]
    if trained:
        return f"no rule froze anything under `{label}`: it is trained, in {quoted_list(trained)}"
    labels = dict.fromkeys(word for each in frozen for word in each.group.labels)
    hint = did_you_mean(label, labels) or (
        f"frozen are {quoted_list(labels)}"
        if labels
        else "the rules freeze nothing that has a label"
    )
    return f"no rule froze anything under `{label}`; {hint}"


def refuse_conflicts(frozen: FrozenGroup, label: str, options: Container[str]) -> None:
    """Raise ValueError where rules disagree about an option that the call does not set."""
    undecided = [key for key in frozen.conflicts if key not in options]
    if undecided:
        first = frozen.group.parameters[0].name
        raise ValueError(
            f"`{label}` cannot be unfrozen: the rules give several values of `{undecided[0]}` to"
            f" its `{first}`; begin one of them with `override` or `else`, or say which counts:"
            f" unfreeze({label!r}, {undecided[0]}=...)"
        )
