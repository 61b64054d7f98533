"""Trains with Accelerate by a rules file: how long a run is, as Accelerate steps a scheduler.

accelerator = Accelerator(gradient_accumulation_steps=4)
optimizer, scheduler = grouper.build(model, "my.rules", steps=steps(loader, 4, epochs))
model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
"""

from __future__ import annotations

import math
import os
from typing import Any

from grouper.text.missing import missing

with missing("accelerate", "this needs Accelerate: pip install accelerate"):
    from accelerate.data_loader import DataLoaderStateMixin
    from accelerate.state import GradientState, PartialState


def steps(loader: Any, accumulate: int = 1, epochs: int = 1, *, split_batches: bool = False) -> int:
    """How often Accelerate steps a prepared scheduler in a run.

    Args:
        loader: the DataLoader, before `prepare` or after it.
        accumulate: the Accelerator's `gradient_accumulation_steps`.
        epochs: how often the loader is iterated over.
        split_batches: whether the Accelerator was told to split batches between processes.

    An epoch has `ceil(batches / accumulate)` steps of the optimizer. For each of them the scheduler
    is stepped once, or once for each process where each has batches of its own.

    Raises ValueError where a number is not positive, where the running Accelerator accumulates over
    another number of batches, and where there is none yet though this is one of several processes;
    TypeError for a loader without a length.
    """
    for name, value in (("accumulate", accumulate), ("epochs", epochs)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer, not {value!r}")
    processes = _processes()
    _refuse_other_accumulation(accumulate)
    try:
        batches = len(loader)
    except TypeError:
        raise TypeError(
            "this loader has no length: give the run's number of steps itself,"
            " `grouper.build(..., steps=...)`"
        ) from None
    if isinstance(loader, DataLoaderStateMixin):
        split_batches = split_batches or _splits(loader)
    elif not split_batches:
        whole = math.floor if getattr(loader, "drop_last", False) else math.ceil
        batches = whole(batches / processes)
    return math.ceil(batches / accumulate) * epochs * (1 if split_batches else processes)


def _processes() -> int:
    if PartialState._shared_state:
        return int(PartialState().num_processes)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise ValueError("make the Accelerator first: it knows how many processes there are")
    return 1


def _splits(loader: Any) -> bool:
    sampler = getattr(loader, "batch_sampler", None)
    return bool(getattr(loader, "split_batches", getattr(sampler, "split_batches", False)))


def _refuse_other_accumulation(accumulate: int) -> None:
    if not GradientState._shared_state:
        return
    running = GradientState().num_steps
    if running != accumulate:
        raise ValueError(
            f"the Accelerator accumulates over {running} batches"
            f" (`gradient_accumulation_steps`), and the plan would over {accumulate}:"
            f" `steps(loader, {running}, epochs)`"
        )
