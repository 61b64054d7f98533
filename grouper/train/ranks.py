"""Ranks of a distributed run tell each other what they have, before any of them goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union

import torch
from torch import distributed, nn

from grouper.findings import Finding
from grouper.group.compare import disagreement, failed_elsewhere, fingerprint_of
from grouper.group.digest import digest_of
from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

Ranks: TypeAlias = Union["ProcessGroup", Literal[False], None]


class Meeting:
    """One exchange between the ranks that must agree."""

    def __init__(self, group: ProcessGroup | None, device: torch.device | None) -> None:
        self._group = group
        self._device = device
        self.held = False

    def disagreement(self, rules: RuleSet, grouping: Grouping) -> Finding | None:
        """What this rank must be told of the others: None where all have the same."""
        terms = fingerprint_of(rules, grouping)
        failures, digests = self._meet(None, digest_of(terms))
        if any(failures.values()):
            return failed_elsewhere(failures)
        if len(set(digests.values())) == 1:
            return None
        said = self._gather([terms, rules.path])
        terms_by_rank = {rank: theirs for rank, (theirs, _) in said.items()}
        return disagreement(terms_by_rank, {rank: path for rank, (_, path) in said.items()})

    def failed(self, failure: str) -> None:
        """Tell the others that this rank has nothing to compare, so that none waits for it."""
        self._meet(failure, "")

    def _meet(
        self, failure: str | None, digest: str
    ) -> tuple[dict[int, str | None], dict[int, str]]:
        self.held = True
        said = self._gather([failure, digest])
        failures = {rank: failure for rank, (failure, _) in said.items()}
        return failures, {rank: digest for rank, (_, digest) in said.items()}

    def _gather(self, value: Any) -> dict[int, Any]:
        """What each rank says, by its global rank. NCCL moves it over this rank's own device."""
        ranks = distributed.get_process_group_ranks(self._group)
        texts: list[Any] = [None] * len(ranks)
        with _current(self._device):
            distributed.all_gather_object(texts, json.dumps(value), group=self._group)
        return {rank: json.loads(text) for rank, text in zip(ranks, texts, strict=True)}


class Alone(Meeting):
    """Where there is nobody to agree with."""

    def __init__(self) -> None:
        super().__init__(None, None)

    def disagreement(self, rules: RuleSet, grouping: Grouping) -> Finding | None:
        return None

    def failed(self, failure: str) -> None:
        """Nobody waits."""


@contextmanager
def together(model: object, process_group: Ranks) -> Iterator[Meeting]:
    """A meeting that is held whatever happens inside: an exception there is told to all ranks."""
    meeting = _meeting(model, process_group)
    try:
        yield meeting
    except Exception as error:
        if not meeting.held:
            meeting.failed(_said(error))
        raise


def _meeting(model: object, process_group: Ranks) -> Meeting:
    if process_group is False:
        return Alone()
    if not (distributed.is_available() and distributed.is_initialized()):
        return Alone()
    # A rank outside of the group has rank -1 in it; the `fake` backend moves nothing.
    outside = distributed.get_rank(process_group) < 0
    if outside or distributed.get_world_size(process_group) == 1:
        return Alone()
    if distributed.get_backend(process_group) == "fake":
        return Alone()
    return Meeting(process_group, _device_of(model))


def _device_of(model: object) -> torch.device | None:
    tensors = model.parameters() if isinstance(model, nn.Module) else ()
    return next((t.device for t in tensors if t.device.type not in ("cpu", "meta")), None)


def _current(device: torch.device | None) -> AbstractContextManager[object]:
    if device is None:
        return nullcontext()
    found: AbstractContextManager[object] = torch.get_device_module(device).device(device)
    return found


def _said(error: Exception) -> str:
    """An error in one line: the first finding that it carries, or its own first line."""
    for finding in getattr(error, "findings", ()):
        if finding.severity.value == "error":
            return f"{finding.code.id} {finding.code.name}: {finding.message}"
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:500]}"
