"""Folders of `torch.distributed.checkpoint`, as FSDP's and DDP's training programs write them.

The `.metadata` file is one pickle: the tensors' names with their whole sizes, wherever their shards
are, and where each name stood in the nested dicts that were saved.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from grouper.inventory.checkpoint import candidates
from grouper.inventory.checkpoint.file import File, cut_short
from grouper.inventory.checkpoint.modules import attributes
from grouper.inventory.checkpoint.pickle_machine import Call, Dict, Global, described
from grouper.inventory.model import Inventory

_METADATA = ".metadata"
_TENSOR = "torch.distributed.checkpoint.metadata.TensorStorageMetadata"
_REBUILD = Global("torch._utils", "_rebuild_meta_tensor_no_storage", "")
_META = replace(_REBUILD, dotted=f"{_REBUILD.module}.{_REBUILD.name}")
_NO_TIES = "a distributed checkpoint does not say which parameters are tied"
_MAX_PATH = 16


def recognises(folder: str) -> bool:
    """Whether a folder is a distributed checkpoint."""
    return os.path.isfile(os.path.join(folder, _METADATA))


def read(folder: str, key: str | None) -> Inventory:
    """The inventory of a distributed checkpoint; of its files only `.metadata` is read.

    Raises OSError where that cannot be opened, ModelError for whatever else is wrong.
    """
    with File(os.path.join(folder, _METADATA)) as file:
        value, _ = described(file)
        state = attributes(value)
        if state is None or not isinstance(state.get("state_dict_metadata"), Dict):
            raise cut_short(file.path)
    inventory = candidates.find(_nested(state), key, folder)
    return replace(
        inventory,
        path=folder,
        kind="distributed checkpoint",
        remarks=(*inventory.remarks, _NO_TIES),
    )


def _nested(state: dict[str, Any]) -> Dict:
    """The dicts as they were saved, with a tensor without data in each tensor's place."""
    stored = {name: v for name, v in state["state_dict_metadata"].pairs if isinstance(name, str)}
    paths = dict(_paths(state.get("planner_data")))
    root = Dict([])
    dicts: dict[tuple[str, ...], Dict] = {(): root}
    # rank 0's own order comes first: what other ranks saved was added behind it
    for name in (*(n for n in paths if n in stored), *(n for n in stored if n not in paths)):
        *above, last = paths.get(name) or _split(name)
        inside = _opened(dicts, tuple(above))
        inside.pairs = [*inside.pairs, (last, _tensor(stored[name]))]
    return root
