"""Wrappers that training frameworks put around modules, and parameter names without them.

A wrapper is recognised by its class or, in files without classes, because every name starts with
its segment. A segment of a single name is never removed just because it looks like a wrapper's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# The class of a wrapper, and the attribute that holds the wrapped module.
WRAPPERS = {
    "torch.nn.parallel.data_parallel.DataParallel": "module",
    "torch.nn.parallel.distributed.DistributedDataParallel": "module",
    "torch.distributed.fsdp.fully_sharded_data_parallel.FullyShardedDataParallel": (
        "_fsdp_wrapped_module"
    ),
    "torch._dynamo.eval_frame.OptimizedModule": "_orig_mod",
    "torch.distributed.algorithms._checkpoint.checkpoint_wrapper.CheckpointWrapper": (
        "_checkpoint_wrapped_module"
    ),
    "torch.distributed.algorithms._checkpoint.checkpoint_wrapper.OffloadWrapper": (
        "_checkpoint_wrapped_module"
    ),
    "torch.optim.swa_utils.AveragedModel": "module",
}
SEGMENTS = frozenset(WRAPPERS.values())
PRIVATE = SEGMENTS - {"module"}  # names that no model uses for its own modules
# The mixins of composable parallelism, and the prefix each adds to the name of a module's class.
MIXED_IN = {"FSDPModule": "FSDP", "ReplicateModule": "Replicate", "DDP": "DDP"}


def segment_of(classes: Iterable[str]) -> str | None:
    """The segment that a wrapper adds to names, by its class and bases; None for other modules."""
    return next((WRAPPERS[cls] for cls in classes if cls in WRAPPERS), None)


def own_class(cls: type) -> type:
    """The original class of a module: `fully_shard` turns a `Linear` into an `FSDPLinear`.

    Only classes that torch created this way count: both their two bases and their name must fit.
    """
    while len(cls.__bases__) == 2:
        mixed_in, own = cls.__bases__
        prefix = MIXED_IN.get(mixed_in.__name__)
        made_by_torch = mixed_in.__module__.startswith("torch.distributed.")
        if prefix is None or not made_by_torch or cls.__name__ != prefix + own.__name__:
            break
        cls = own
    return cls


def unwrapped(name: str, wrappers: Mapping[str, str]) -> str:
    """A dotted name without wrapper segments; `wrappers` maps a wrapper's path to its segment."""
    if not wrappers:
        return name
    segments: list[str] = []
    path = ""
    for segment in name.split("."):
        if wrappers.get(path) != segment:
            segments.append(segment)
        path = f"{path}.{segment}" if path else segment
    return ".".join(segments)


def wrapping_prefix(names: Iterable[str]) -> str:
    """The wrapper segments that all names start with, dots included (`module._orig_mod.`)."""
    names = list(names)
    prefix = ""
    while names:
        rest = names[0].removeprefix(prefix)
        segment = rest.partition(".")[0]
        longer = f"{prefix}{segment}."
        if segment not in SEGMENTS or not all(name.startswith(longer) for name in names):
            break
        prefix = longer
    return prefix


def bare_names(names: Iterable[str]) -> list[str]:
    """Parameter names without wrapper segments, for files without classes: removes the prefix that
    all names share and torch's private segments anywhere."""
    names = list(names)
    prefix = wrapping_prefix(names)
    return [
        ".".join(part for part in name.removeprefix(prefix).split(".") if part not in PRIVATE)
        for name in names
    ]
