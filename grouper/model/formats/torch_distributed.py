"""Folders of `torch.distributed.checkpoint`, written by training programs with FSDP or DDP.

The `.metadata` file is one pickle: the tensors' names and full sizes, independent of their shards,
and each name's place in the nested dicts that were saved.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from grouper.model import codes
from grouper.model.contents import find_model
from grouper.model.contents.modules import attributes
from grouper.model.errors import ModelError, over_limit
from grouper.model.files.file import File, cut_short
from grouper.model.inventory import Inventory
from grouper.model.pickle.machine import Call, Dict, Global, Limits, described
from grouper.text.dataclass import replace

_METADATA = ".metadata"
_TENSOR = "TensorStorageMetadata"  # in modules of several names
_META = "_rebuild_meta_tensor_no_storage"
_REBUILD = Global("torch._utils", _META, f"torch._utils.{_META}")
_NO_TIES = "a distributed checkpoint does not say which parameters are tied"
MAX_DEPTH = 16
MAX_DICTS = 50_000
# Each tensor lists the parts of all ranks: a thousand tensors on 64 ranks take 150 MB.
MAX_OPCODES, MAX_MEMORY = 5_000_000, 176 << 20


def recognises(folder: str) -> bool:
    """Whether a folder is a distributed checkpoint."""
    return os.path.isfile(os.path.join(folder, _METADATA))


def read(folder: str, key: str | None) -> Inventory:
    """The inventory of a distributed checkpoint; only its `.metadata` file is read.

    Raises OSError if that file cannot be opened, ModelError for any other error.
    """
    with File(os.path.join(folder, _METADATA)) as file:
        value, _ = described(file, limits=Limits(opcodes=MAX_OPCODES, memory=MAX_MEMORY))
        state = attributes(value)
        if state is None or not isinstance(state.get("state_dict_metadata"), Dict):
            raise cut_short(file.path)
    inventory = find_model.find(_nested(state), key, folder)
    return replace(
        inventory,
        path=folder,
        kind="distributed checkpoint",
        remarks=(*inventory.remarks, _NO_TIES),
    )


def refuse_part(path: str) -> None:
    """Raises ModelError if the path is one rank's file, beside `.metadata`."""
    folder = os.path.dirname(path) or "."
    if recognises(folder):
        raise ModelError(
            codes.NOT_A_MODEL,
            f"`{path}` is one rank's part of a distributed checkpoint",
            f"give the folder: `{folder}`",
        )


def _nested(state: Mapping[str, Any]) -> Dict:
    """The nested dicts that were saved, with a placeholder without data for each tensor."""
    stored = {name: v for name, v in state["state_dict_metadata"].pairs if isinstance(name, str)}
    paths = {name: path for name, path in _paths(state.get("planner_data")) if name in stored}
    inside: dict[tuple[str, ...], list[tuple[str, Any]]] = {(): []}
    # the first rank's order, followed by tensors that only other ranks saved
    for name in (*paths, *(name for name in stored if name not in paths)):
        path = paths.get(name) or _split(name)
        for depth in range(1, len(path)):
            if path[:depth] not in inside:
                if len(inside) > MAX_DICTS:
                    raise over_limit(f"it is in {MAX_DICTS:,} dicts")
                inside[path[:depth]] = []
                inside[path[: depth - 1]].append((path[depth - 1], Dict(inside[path[:depth]])))
        inside[path[:-1]].append((path[-1], _tensor(stored[name])))
    for pairs in inside.values():
        pairs[:] = _without_optimizer(pairs)
    return Dict(inside[()])


def _paths(planned: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The keys that lead to each stored name, if the planner saved them."""
    for name, path in planned.pairs if isinstance(planned, Dict) else ():
        known = isinstance(path, tuple) and all(isinstance(step, str | int) for step in path)
        if known and isinstance(name, str) and 0 < len(path) <= MAX_DEPTH:
            yield name, tuple(map(str, path))


def _split(name: str) -> tuple[str, ...]:
    """The path of a stored name without planner data; names of optimizers have a known prefix."""
    first, _, rest = name.partition(".")
    return (first, rest) if rest and first.startswith("optim") else (name,)


def _without_optimizer(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The pairs without optimizer state that was flattened into `state.NAME.exp_avg`."""
    if not any(name.startswith("param_groups.") for name, _ in pairs):
        return pairs
    return [pair for pair in pairs if not pair[0].startswith(("state.", "param_groups."))]


def _tensor(metadata: Any) -> Call | None:
    """A tensor without data in torch's pickled form; None for any other saved value."""
    if not isinstance(metadata, Call) or not isinstance(metadata.function, Global):
        return None
    state = attributes(metadata)
    if metadata.function.name != _TENSOR or state is None:
        return None
    properties = getattr(state.get("properties"), "state", None)
    dtype = properties[0] if isinstance(properties, tuple) and properties else None
    return Call(_REBUILD, (dtype, state.get("size"), (), False))
