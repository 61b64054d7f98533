"""Optimizer states of sharded parameters, and of folders of torch.distributed.checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import Metadata, TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.tensor import DTensor, Replicate, distribute_tensor

from grouper.model.wrappers import bare_names
from grouper.text.dataclass import dataclass
from grouper.text.printable import quoted_list
from grouper.train.wrapped import distributed_is_running

if TYPE_CHECKING:
    from torch.distributed.tensor import Placement


def redistributed(value: Any, parameter: Tensor) -> Any:
    """Redistributes a state tensor to match its parameter: full, or a DTensor with the parameter's
    placements. A collective where either of them is a DTensor.
    """
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    if not isinstance(parameter, DTensor):
        return value.full_tensor() if isinstance(value, DTensor) else value
    mesh, placements = parameter.device_mesh, _target_placements(value, parameter)
    if isinstance(value, DTensor):
        if value.device_mesh == mesh:
            return value.redistribute(placements=placements)
        value = value.full_tensor()
    return distribute_tensor(value.to(parameter.device), mesh, placements)


def read(folder: str | Path, tensors: Mapping[str, Tensor], key: str | None) -> dict[str, Any]:
    """The optimizer state in a checkpoint's folder, by name: each rank reads its own shards of the
    parameters in `tensors`. State of other parameters is listed as tensors on the meta device.

    A collective. `key` is the name of the state, where the checkpoint holds several. Raises
    FileNotFoundError where the folder is not a checkpoint, ValueError where it has no such state.
    """
    reader = FileSystemReader(str(folder))
    if not (Path(folder) / ".metadata").is_file():
        raise FileNotFoundError(f"`{folder}` is not a checkpoint of torch.distributed.checkpoint")
    metadata = reader.read_metadata()
    entries = _of_key(list(_entries(metadata)), key, folder, _has_groups_only(metadata))
    names = list(dict.fromkeys(entry.name for entry in entries))
    parameters = _parameters(names, tensors)
    content: dict[str, Any] = {}
    for entry in entries:
        if entry.name in parameters:
            content[entry.stored] = _buffer_for(metadata, entry, parameters[entry.name])
    load(content, storage_reader=reader, no_dist=not distributed_is_running())
    state: dict[str, dict[str, Any]] = {name: {} for name in names}
    for entry in entries:
        value = content[entry.stored] if entry.stored in content else _meta_for(metadata, entry)
        state[entry.name][entry.slot] = value
    return {"state": state, "param_groups": [{"params": names}]}


@dataclass(frozen=True)
class _Entry:
    """One value of a parameter's state in a checkpoint: `stored` is its key in the checkpoint,
    `key` that of the optimizer's state, `slot` that of the value (`exp_avg`)."""

    stored: str
    key: str
    name: str
    slot: str


def _entries(metadata: Metadata) -> Iterator[_Entry]:
    """Every value of the optimizers' states, in torch's nested layout and in its flat one."""
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


def _has_groups_only(metadata: Metadata) -> bool:
    """Whether the checkpoint has groups and no state, as for SGD without momentum."""
    paths: Mapping[str, tuple[Any, ...]] = metadata.planner_data or {}
    parts = (str(part) for path in paths.values() for part in path)
    return any(part.split(".")[0] == "param_groups" for part in parts)


def _of_key(
    entries: list[_Entry], key: str | None, folder: str | Path, stateless: bool
) -> list[_Entry]:
    """The entries under a key. Raises ValueError where there are none, or several keys."""
    keys = list(dict.fromkeys(entry.key for entry in entries))
    if key is None and len(keys) > 1:
        raise ValueError(
            f"`{folder}` holds several states: pass one of {quoted_list(keys)} as `key=`"
        )
    if key is not None and key not in keys and (keys or not stateless):
        raise ValueError(f"`{folder}` does not hold an optimizer's state under `{key}`")
    if not keys and not stateless:
        raise ValueError(f"`{folder}` does not hold an optimizer's state by names of parameters")
    selected = [entry for entry in entries if key is None or entry.key == key]
    if selected and all(entry.name.isdecimal() for entry in selected):
        raise ValueError(
            f"the state in `{folder}` goes by numbers, which change with the groups: save what"
            " torch's `get_optimizer_state_dict(model, optimizer)` returns, which goes by names"
        )
    return selected


def _parameters(names: list[str], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameter of each saved name: of the same name, or the same without wrappers' names."""
    bare = dict(zip(bare_names(tensors), tensors.values(), strict=True))
    matches = {
        n: tensors.get(n, bare.get(b)) for n, b in zip(names, bare_names(names), strict=True)
    }
    return {name: tensor for name, tensor in matches.items() if tensor is not None}


def _buffer_for(metadata: Metadata, entry: _Entry, parameter: Tensor) -> Any:
    """An empty tensor to read into, sharded like the parameter where the shapes agree."""
    described = metadata.state_dict_metadata[entry.stored]
    if not isinstance(described, TensorStorageMetadata):
        return None
    dtype = described.properties.dtype
    if described.size == parameter.shape:
        return torch.empty_like(parameter, dtype=dtype, requires_grad=False)
    return torch.empty(described.size, dtype=dtype)


def _meta_for(metadata: Metadata, entry: _Entry) -> Any:
    described = metadata.state_dict_metadata[entry.stored]
    if not isinstance(described, TensorStorageMetadata):
        return None
    return torch.empty(described.size, dtype=described.properties.dtype, device="meta")


def _target_placements(value: Tensor, parameter: DTensor) -> tuple[Placement, ...]:
    """The parameter's where the shapes agree; else, as for factored moments, replicated."""
    if value.shape == parameter.shape:
        return tuple(parameter.placements)
    return (Replicate(),) * parameter.device_mesh.ndim
