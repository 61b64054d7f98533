"""Models in several files, as Hugging Face's libraries write them, with an index of JSON.

The index says in which file beside it each tensor is; the files are safetensors or torch's. Where
one of them is not there, the names of its tensors are known, and nothing else of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.model import codes
from grouper.model.contents import state_dict
from grouper.model.errors import ModelError
from grouper.model.files.file import HEAD, BytesSource, Sibling, cut_short
from grouper.model.formats import safetensors, torch_saved
from grouper.model.inventory import Inventory
from grouper.model.name_limits import Names
from grouper.model.pickle.machine import Limits
from grouper.model.pickle.tensors import Tensor
from grouper.text.dataclass import replace

MAX_SHARDS = 4096
MAX_READ = 32 << 20  # bytes, of all shards together
MAX_FILE_NAME = 255  # bytes
_MAP = "weight_map"
_UNORDERED = "the files of a model in several do not keep its order"

Found = list[tuple[str, Tensor, Any]]


def recognises(value: Any) -> bool:
    """Whether a JSON value is the index of a model in several files."""
    return isinstance(value, dict) and _MAP in value


def read(file: BytesSource, index: Any, key: str | None) -> Inventory:
    """The inventory of a model whose index is in `file`.

    Raises OSError where one of its files is there and cannot be opened, ModelError for others.
    """
    safetensors.no_parts(file.path, key)
    shards = _shards(file.path, index[_MAP])
    if not isinstance(file, Sibling):
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is an index whose files cannot be reached from it",
            "give the folder that they are in",
        )
    found, missing, kinds = _collected(file, shards)
    metadata = index.get("metadata")
    tensors = safetensors.tied(found, metadata if isinstance(metadata, dict) else {})
    kind = kinds.pop() if len(kinds) == 1 else "state dict"
    inventory = state_dict.inventory_from(tensors)
    order = safetensors.SORTED if kind == safetensors.KIND else _UNORDERED
    remarks = (*inventory.remarks, order, *_missing(missing, shards))
    return replace(
        inventory, kind=f"{kind} in {len(shards)} files", order="sorted", remarks=remarks
    )


def _collected(file: Sibling, shards: Mapping[str, list[str]]) -> tuple[Found, list[str], set[str]]:
    """The tensors of all files that are there, the files that are not, and the kinds of files."""
    found: Found = []
    missing: list[str] = []
    kinds: set[str] = set()
    names: set[str] = set()
    left, limits, bounds = MAX_READ, Limits(), Names()
    for shard, listed in shards.items():
        try:
            with file.beside(shard) as source:
                kind, tensors = _tensors(source, shard, limits)
                kinds.add(kind)
                left -= source.bytes_read
        except FileNotFoundError:
            missing.append(shard)
            # made anew for each: what is one object would be taken for tied
            tensors = [(name, tensor, tensor) for name in listed for tensor in [Tensor(None, None)]]
        own = {name for name, _, _ in tensors}
        bounds.count(own)
        _agreeing(file.path, shard, own, names, listed)
        names |= own
        found += tensors
        if left < 0 or len(found) > state_dict.MAX_TENSORS:
            raise _refused(file.path, "its files describe more tensors than any model has")
    return found, missing, kinds


def _tensors(source: BytesSource, shard: str, limits: Limits) -> tuple[str, Found]:
    """The kind of a file, and its tensors, whose storages are its own."""
    head = source.read(0, min(source.size, HEAD))
    if safetensors.recognises(head):
        return safetensors.KIND, safetensors.tensors(source)
    root = torch_saved.saved(source, limits)
    return "state dict", [
        (name, replace(tensor, storage=tensor.storage and f"{shard!r}{tensor.storage}"), item)
        for name, tensor, item in state_dict.tensors_of(root)
    ]


def _shards(path: str, weights: Any) -> dict[str, list[str]]:
    """The names of the tensors in each file, by the file's name."""
    if not isinstance(weights, dict) or not weights:
        raise cut_short(path)
    shards: dict[str, list[str]] = {}
    for name, shard in weights.items():
        if not isinstance(shard, str):
            raise cut_short(path)
        shards.setdefault(shard, []).append(name)
    if len(shards) > MAX_SHARDS or len(weights) > state_dict.MAX_TENSORS:
        raise _refused(path, f"it is in more than {MAX_SHARDS:,} files, or has too many tensors")
    for shard in shards:
        if len(shard.encode(errors="replace")) > MAX_FILE_NAME:
            raise _refused(path, f"it names a file by more than {MAX_FILE_NAME} bytes")
        if set(shard) & set("/\\:\0") or shard in ("", ".", ".."):
            raise _refused(path, f"it names a file that is not in its folder: `{shard}`")
    return {shard: shards[shard] for shard in sorted(shards)}


def _agreeing(path: str, shard: str, own: set[str], before: set[str], listed: list[str]) -> None:
    """The files must have what the index says, and each tensor once."""
    twice = sorted(own & before)
    lacking = [name for name in listed if name not in own]
    if twice or lacking:
        why = f"has `{twice[0]}` again" if twice else f"does not have `{lacking[0]}`"
        raise ModelError(
            codes.BROKEN,
            f"`{path}` does not fit its files: `{shard}` {why}",
            "download or copy the whole folder again",
        )


def _missing(missing: list[str], shards: Mapping[str, list[str]]) -> tuple[str, ...]:
    if not missing:
        return ()
    tensors = sum(len(shards[shard]) for shard in missing)
    return (
        f"{len(missing)} of {len(shards)} files are not there (`{missing[0]}`): of {tensors:,} "
        "tensors only the names are known",
    )


def _refused(path: str, why: str) -> ModelError:
    return ModelError(codes.OVER_LIMIT, f"`{path}` is not read: {why}")
