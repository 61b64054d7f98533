"""Wrappers that training frameworks put around modules, and names without them.

A wrapper is known by its class, or, where a file has no classes, by every name starting with its
segment: a segment is never taken off because it merely looks like one.
"""

from __future__ import annotations

from collections.abc import Iterable

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


def unwrapped(name: str, wrappers: frozenset[str]) -> str:
    """A dotted name without the segment below each wrapper; `wrappers` are the wrappers' paths."""
    if not wrappers:
        return name
    kept: list[str] = []
    path = ""
    for segment in name.split("."):
        if not (path in wrappers and segment in SEGMENTS):
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
