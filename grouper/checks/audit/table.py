"""Every check of an audit, one row each: those of its own, and those of rules that are asked of
groups as well."""

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
    """A file of this folder: its code, whose page is the file's docstring, and its question."""

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
# Checks that need no more of rules than the groups that they make, and what helps without rules.
OF_GROUPS: Mapping[Module, str] = {
    norms_parted: "put all norms into one group: by the class of their modules, not by their names",
    decay_reversed: "give matrices the decay; biases and norms get `weight_decay=0`",
    label_contradicts: "give the group what its name says, or another name",
    muon_parameters: "leave them to AdamW, in a group or an optimizer of their own",
    adapters: "train the adapters alone: `requires_grad_(False)` on the rest",
    state_space_decay: "put them into a group with `weight_decay=0`",
    listed_decays: "put them into a group with `weight_decay=0`",
    zero_lr: "freeze them instead: `requires_grad_(False)`",
}
