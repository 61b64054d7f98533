"""The table of all checks of an audit: its own, and checks of rules that also apply to groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from grouper.checks import (
    adapters,
    decay_reversed,
    label_contradicts,
    listed_decays,
    muon_parameters,
    norms_parted,
    state_space_decay,
    zero_lr,
)
from grouper.checks.audit import (
    default_in_group,
    frozen_in_group,
    in_no_group,
    in_two_groups,
    not_matched,
    not_of_model,
    unread_key,
)
from grouper.checks.audit.audited import Audited
from grouper.checks.table import Module
from grouper.text.findings import Code, Finding


class AuditModule(Protocol):
    """A file of this folder: its code, whose page is the file's docstring, and its check."""

    CODE: Code

    def check(self, audited: Audited) -> Iterator[Finding]: ...


AUDITS: tuple[AuditModule, ...] = (
    in_no_group,
    in_two_groups,
    frozen_in_group,
    not_of_model,
    unread_key,
    default_in_group,
    not_matched,
)
# Checks of rules that need only the groups, each with a help text that does not mention rules.
OF_GROUPS: Mapping[Module, str] = {
    norms_parted: "put all norms into one group by the class of their modules, not by their names",
    decay_reversed: "set the decay for matrices, and `weight_decay=0` for biases and norms",
    label_contradicts: "change the options or the name of the group so that they agree",
    muon_parameters: "use AdamW for them, in their own group or optimizer",
    adapters: "train only the adapters: `requires_grad_(False)` on the rest",
    state_space_decay: "put them into a group with `weight_decay=0`",
    listed_decays: "put them into a group with `weight_decay=0`",
    zero_lr: "freeze them instead: `requires_grad_(False)`",
}
