"""Optimizer states in parts: those of sharded parameters, and folders of checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import Metadata, TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.tensor import DTensor, Replicate, distribute_tensor

from grouper.model.wrappers import bare_names

if TYPE_CHECKING:
    from torch.distributed.tensor import Placement


def placed(value: Any, parameter: Tensor) -> Any:
    """A piece of state, whole or in parts, as the parameter needs it: whole, or in its parts.

    A collective where it has to be put together, or is on several ranks.
    """
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    if not isinstance(parameter, DTensor):
        return value.full_tensor() if isinstance(value, DTensor) else value
    mesh, placements = parameter.device_mesh, _placements(value, parameter)
    if isinstance(value, DTensor):
        if value.device_mesh == mesh:
            return value.redistribute(placements=placements)
        value = value.full_tensor()
    return distribute_tensor(value.to(parameter.device), mesh, placements)


def read(folder: str | Path, tensors: Mapping[str, Tensor], key: str | None) -> dict[str, Any]:
    """The optimizer state of a checkpoint's folder, by name, of the given parameters: each rank
    reads its own parts. What belongs to others is there without content, to be listed.

    A collective. `key` says which, where the checkpoint holds several. Raises FileNotFoundError
    where there is no checkpoint, ValueError where there is no such state in it.
    """
    reader = FileSystemReader(str(folder))
    if not (Path(folder) / ".metadata").is_file():
        raise FileNotFoundError(f"`{folder}` is no checkpoint of torch.distributed.checkpoint")
    metadata = reader.read_metadata()
    entries = _chosen(list(_entries(metadata)), key, folder, _keeps_nothing(metadata))
    names = list(dict.fromkeys(entry.name for entry in entries))
    wanted = _parameters(names, tensors)
    content: dict[str, Any] = {}
    for entry in entries:
        if entry.name in wanted:
            content[entry.stored] = _empty(metadata, entry, wanted[entry.name])
    alone = not (distributed.is_available() and distributed.is_initialized())
    load(content, storage_reader=reader, no_dist=alone)
    state: dict[str, dict[str, Any]] = {name: {} for name in names}
    for entry in entries:
        value = content[entry.stored] if entry.stored in content else _unread(metadata, entry)
        state[entry.name][entry.slot] = value
    return {"state": state, "param_groups": [{"params": names}]}


@dataclass(frozen=True)
class _Entry:
    """One piece of state in a checkpoint: where it is, of which parameter, and what it is called
    there. `key` is where the optimizer's state begins."""

    stored: str
    key: str
    name: str
    slot: str


def _entries(metadata: Metadata) -> Iterator[_Entry]:
    """Every piece of an optimizer's state by name, nested as torch's functions give it, or flat."""
    paths: Mapping[str, tuple[Any, ...]] = metadata.planner_data or {}
    for stored in metadata.state_dict_metadata:
        path = paths.get(stored, (stored,))
        for index, part in enumerate(path):
            key = ".".join(map(str, path[:index]))
            if part == "state" and len(path) == index + 3:
                yield _Entry(stored, key, str(path[index + 1]), str(path[index + 2]))
                break
            if isinstance(part, str) and part.startswith("state.") and len(path) == index + 1:
                name, _, slot = part.removeprefix("state.").rpartition(".")
                yield _Entry(stored, key, name, slot)
                break


def _keeps_nothing(metadata: Metadata) -> bool:
    """Whether the checkpoint has groups: then an optimizer without any state, as SGD is without
    momentum, was saved, where there is none."""
    paths: Mapping[str, tuple[Any, ...]] = metadata.planner_data or {}
    parts = (str(part) for path in paths.values() for part in path)
    return any(part.split(".")[0] == "param_groups" for part in parts)


def _chosen(
    entries: list[_Entry], key: str | None, folder: str | Path, stateless: bool
) -> list[_Entry]:
    keys = list(dict.fromkeys(entry.key for entry in entries))
    if key is None and len(keys) > 1:
        listed = ", ".join(f"`{name}`" for name in keys)
        raise ValueError(f"`{folder}` holds several states ({listed}): say which by `key=`")
    if key is not None and key not in keys and (keys or not stateless):
        raise ValueError(f"`{folder}` holds no optimizer's state under `{key}`")
    if not keys and not stateless:
        raise ValueError(f"`{folder}` holds no optimizer's state by names of parameters")
    chosen = [entry for entry in entries if key is None or entry.key == key]
    if chosen and all(entry.name.isdecimal() for entry in chosen):
        raise ValueError(
            f"the state in `{folder}` goes by numbers, which change with the groups: save what"
            " torch's `get_optimizer_state_dict(model, optimizer)` gives, which goes by names"
        )
    return chosen


def _parameters(names: list[str], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameter of each saved name: of the same name, or the same without wrappers."""
    bare = dict(zip(bare_names(tensors), tensors.values(), strict=True))
    found = {n: tensors.get(n, bare.get(b)) for n, b in zip(names, bare_names(names), strict=True)}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _empty(metadata: Metadata, entry: _Entry, parameter: Tensor) -> Any:
    """Room for a piece of state: in parts, where it has the shape of a parameter that is."""
    described = metadata.state_dict_metadata[entry.stored]
    if not isinstance(described, TensorStorageMetadata):
        return None
    dtype = described.properties.dtype
    if described.size == parameter.shape:
        return torch.empty_like(parameter, dtype=dtype, requires_grad=False)
    return torch.empty(described.size, dtype=dtype)


def _unread(metadata: Metadata, entry: _Entry) -> Any:
    described = metadata.state_dict_metadata[entry.stored]
    if not isinstance(described, TensorStorageMetadata):
        return None
    return torch.empty(described.size, dtype=described.properties.dtype, device="meta")


def _placements(value: Tensor, parameter: DTensor) -> tuple[Placement, ...]:
    """As the parameter's where the shapes agree; what is smaller, like factors, is everywhere."""
    if value.shape == parameter.shape:
        return tuple(parameter.placements)
    return (Replicate(),) * parameter.device_mesh.ndim
