"""DistributedDataParallel averages the gradients of what was trainable when it was constructed."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from grouper.text.fold import folded_list
from grouper.train.wrapped import distributed_is_running

MOST_PATTERNS = 3  # of names in a message
Named = Mapping[str, Tensor]


def check_buckets(trained: Named, frozen: Named, *, running: bool = False) -> None:
    """Compare parameters that are about to be trained and to be frozen with the buckets of every
    DistributedDataParallel of them, whichever of its modules the caller has.

    Raises ValueError where a trained parameter is in no bucket, so that each rank would train it
    with its own gradients, and where a frozen one is in a bucket that waits for its gradient, so
    that the second backward pass would fail. With `running`, after steps were taken, a static graph
    is refused as well.
    """
    if not distributed_is_running():
        return
    for wrapper in _wrappers_of([*trained.values(), *frozen.values()]):
        buckets, ignored = _bucketed(wrapper), _ignored(wrapper)
        own = {id(tensor) for tensor in wrapper.module.parameters()} - ignored
        new = {name: tensor for name, tensor in trained.items() if id(tensor) in own}
        outside = [name for name, tensor in new.items() if id(tensor) not in buckets]
        if outside:
            raise ValueError(
                f"DistributedDataParallel was constructed while {_listed(outside)} did not require"
                " a gradient, so it would not average theirs, and the ranks' weights would differ:"
                " take the model out of it (`model = ddp.module; del ddp`), do this, and wrap the"
                " model again; or wrap it with `find_unused_parameters=True` before the rules"
                " freeze it"
            )
        if running and new and wrapper.static_graph:
            raise ValueError(
                f"DistributedDataParallel with `static_graph=True` cannot train {_listed(new)} from"
                " now on: wrap the model with `find_unused_parameters=True` in its place"
            )
        waits = not (wrapper.find_unused_parameters or wrapper.static_graph)
        awaited = [name for name, t in frozen.items() if t.requires_grad and id(t) in buckets]
        if waits and awaited:
            raise ValueError(
                f"DistributedDataParallel was constructed before the rules froze {_listed(awaited)}"
                " and waits for their gradients, so the second backward pass would fail: build the"
                " groups first and wrap the model then, or wrap it with"
                " `find_unused_parameters=True`"
            )


def _wrappers_of(tensors: Iterable[Tensor]) -> list[Any]:
    """The DistributedDataParallel objects that have one of these parameters.

    A model does not know what wraps it, and callers may have the inner one, so all objects of the
    process are looked through: some 0.1 s for a million.
    """
    wanted = {id(tensor) for tensor in tensors}
    if not _live(wanted):
        return []
    gc.collect()  # a wrapper that was deleted may be part of a cycle
    return _live(wanted)


def _live(wanted: set[int]) -> list[Any]:
    return [
        each
        for each in gc.get_objects()
        if issubclass(type(each), DistributedDataParallel)
        and getattr(each, "reducer", None) is not None
        and any(id(tensor) in wanted for tensor in each.module.parameters())
    ]


def _bucketed(wrapper: Any) -> set[int]:
    buckets = wrapper.reducer._get_zeros_like_grad_buckets()
    return {id(tensor) for bucket in buckets for tensor in bucket.parameters()}


def _ignored(wrapper: Any) -> set[int]:
    """Parameters that the user took out of the averaging by name."""
    names = wrapper.parameters_to_ignore
    return {id(t) for name, t in wrapper.module.named_parameters() if name in names}


def _listed(names: Iterable[str]) -> str:
    return folded_list(names, MOST_PATTERNS)
