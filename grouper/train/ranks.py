"""The ranks of a distributed run compare what they have before any of them goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union

import torch
from torch import distributed, nn

from grouper.group.compare import disagreement, failed_elsewhere, fingerprint_of
from grouper.group.digest import digest_of
from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet
from grouper.text.arguments import wrong_type
from grouper.text.findings import Finding
from grouper.train.wrapped import distributed_is_running

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

Ranks: TypeAlias = Union["ProcessGroup", Literal[False], None]


class RankCheck:
    """One exchange between the ranks that must agree."""

    def __init__(self, group: ProcessGroup | None, device: torch.device | None) -> None:
        self._group = group
        self._device = device
        self.done = False

    def disagreement(self, rules: RuleSet, grouping: Grouping) -> Finding | None:
        """The first difference between the ranks, or the first rank that failed; else None."""
        fingerprint = fingerprint_of(rules, grouping)
        failures, digests = self._exchange(None, digest_of(fingerprint))
        if any(failures.values()):
            return failed_elsewhere(failures)
        if len(set(digests.values())) == 1:
            return None
        answers = self._gather([fingerprint, rules.path])
        fingerprints = {rank: theirs for rank, (theirs, _) in answers.items()}
        return disagreement(fingerprints, {rank: path for rank, (_, path) in answers.items()})

    def report_failure(self, failure: str) -> None:
        """Send the other ranks an error in place of a fingerprint, so that none waits."""
        self._exchange(failure, "")

    def _exchange(
        self, failure: str | None, digest: str
    ) -> tuple[dict[int, str | None], dict[int, str]]:
        self.done = True
        answers = self._gather([failure, digest])
        failures = {rank: failure for rank, (failure, _) in answers.items()}
        return failures, {rank: digest for rank, (_, digest) in answers.items()}

    def _gather(self, value: Any) -> dict[int, Any]:
        """Each rank's value by its global rank. NCCL moves it over this rank's own device."""
        ranks = distributed.get_process_group_ranks(self._group)
        texts: list[Any] = [None] * len(ranks)
        with _current(self._device):
            distributed.all_gather_object(texts, json.dumps(value), group=self._group)
        return {rank: json.loads(text) for rank, text in zip(ranks, texts, strict=True)}


class SingleRank(RankCheck):
    """The check of a process that has no other ranks to compare with."""

    def __init__(self) -> None:
        super().__init__(None, None)

    def disagreement(self, rules: RuleSet, grouping: Grouping) -> Finding | None:
        return None

    def report_failure(self, failure: str) -> None:
        """Does nothing: no other rank waits."""


@contextmanager
def compare_ranks(model: object, process_group: Ranks) -> Iterator[RankCheck]:
    """Compares ranks within the block. Where it raises before that, the others get the error."""
    check = _check_for(model, process_group)
    try:
        yield check
    except Exception as error:
        if not check.done:
            check.report_failure(_one_line(error))
        raise


def _check_for(model: object, process_group: Ranks) -> RankCheck:
    if process_group is not None and process_group is not False:
        _require_group(process_group)
    if process_group is False or not distributed_is_running():
        return SingleRank()
    # A rank outside of the group has rank -1 in it; the `fake` backend moves nothing.
    outside = distributed.get_rank(process_group) < 0
    if outside or distributed.get_world_size(process_group) == 1:
        return SingleRank()
    if distributed.get_backend(process_group) == "fake":
        return SingleRank()
    return RankCheck(process_group, _device_of(model))


def _require_group(process_group: object) -> None:
    """Raise TypeError for anything but a process group of torch, None or False."""
    available = distributed.is_available()
    types = (distributed.ProcessGroup,) if available else ()
    absent = distributed.GroupMember.NON_GROUP_MEMBER if available else None
    if not isinstance(process_group, types) and process_group is not absent:
        raise wrong_type("process_group", process_group, "a process group of torch, None or False")


def _device_of(model: object) -> torch.device | None:
    tensors = model.parameters() if isinstance(model, nn.Module) else ()
    return next((t.device for t in tensors if t.device.type not in ("cpu", "meta")), None)


def _current(device: torch.device | None) -> AbstractContextManager[object]:
    if device is None:
        return nullcontext()
    context: AbstractContextManager[object] = torch.get_device_module(device).device(device)
    return context


def _one_line(error: Exception) -> str:
    """An error in one line: the first finding that it carries, or its own first line."""
    for finding in getattr(error, "findings", ()):
        if finding.severity.value == "error":
            return f"{finding.code.id} {finding.code.name}: {finding.message}"
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:500]}"
