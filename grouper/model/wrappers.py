"""Wrappers that training frameworks put around modules, and names without them.

A wrapper is known by its class, or, where a file has no classes, by every name starting with its
segment: a segment is never taken off because it merely looks like one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# The class of a wrapper, and the attribute under which it holds the module.
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
PRIVATE = SEGMENTS - {"module"}  # no module of a model is called so
# What composable parallelism puts before a module's class, which it then derives from both.
MIXED_IN = {"FSDPModule": "FSDP", "ReplicateModule": "Replicate", "DDP": "DDP"}


def segment_of(classes: Iterable[str]) -> str | None:
    """The segment below a module of these classes (its own, then its bases), if it is a wrapper."""
    return next((WRAPPERS[cls] for cls in classes if cls in WRAPPERS), None)


def own_class(cls: type) -> type:
    """The class that a module was written with: `fully_shard` makes an `FSDPLinear` of a Linear.

    Only classes that torch made so are taken apart: by their two bases and their name together.
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
    """A dotted name without the segment below each wrapper; `wrappers` has them by path."""
    if not wrappers:
        return name
    kept: list[str] = []
    path = ""
    for segment in name.split("."):
        if wrappers.get(path) != segment:
            kept.append(segment)
        path = f"{path}.{segment}" if path else segment
    return ".".join(kept)


def wrapping_prefix(names: Iterable[str]) -> str:
    """The wrapper segments that every name starts with, dots included (`module._orig_mod.`)."""
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
    """Names of parameters without what wrappers put into them, where no classes are at hand: what
    all of them start with, and torch's private segments anywhere."""
    names = list(names)
    prefix = wrapping_prefix(names)
    return [
        ".".join(part for part in name.removeprefix(prefix).split(".") if part not in PRIVATE)
        for name in names
    ]
