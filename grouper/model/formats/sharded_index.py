"""Models in several files with a JSON index, written by Hugging Face's libraries.

The index maps each tensor to a file beside it; the files are safetensors or torch's. If one is
missing, only the names of its tensors are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.model import codes
from grouper.model.contents import state_dict
from grouper.model.errors import ModelError
from grouper.model.files import json
from grouper.model.files.file import HEAD, BytesSource, Sibling, cut_short
from grouper.model.formats import safetensors, torch_saved
from grouper.model.inventory import Inventory
from grouper.model.name_limits import MAX_CHARACTERS, Names
from grouper.model.pickle.machine import Limits
from grouper.model.pickle.tensors import Tensor
from grouper.text.dataclass import replace

MAX_SHARDS = 4096
MAX_TENSORS = 1_500_000
MAX_SIZE = 96 << 20  # bytes, of the index
MAX_MEMORY = 512 << 20  # for its values, estimated
MAX_READ = 32 << 20  # bytes, of all shards together, or four times the size of the index
MAX_FILE_NAME = 255  # bytes
_MAP = "weight_map"
_UNORDERED = "a model in several files does not keep its order"

Found = list[tuple[str, Tensor, Any]]


def begins(head: bytes) -> bool:
    """Whether a JSON file begins like an index, as the libraries write it."""
    return f'"{_MAP}":'.encode() in head


def loaded(file: BytesSource) -> Any:
    """The JSON value of a file that begins like an index. Raises the errors of `json.loaded`."""
    return json.loaded(file, MAX_SIZE, MAX_MEMORY)


def recognises(value: Any) -> bool:
    """Whether a JSON value is the index of a model in several files."""
    return isinstance(value, dict) and _MAP in value


def read(file: BytesSource, index: Any, key: str | None) -> Inventory:
    """The inventory of a model whose index is in `file`.

    Raises OSError if one of its files exists but cannot be opened, ModelError for other errors.
    """
    safetensors.no_parts(file.path, key)
    shards = _shards(file.path, index.pop(_MAP))  # taken out: it may need hundreds of MiB
    if not isinstance(file, Sibling):
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` is an index whose files cannot be reached from here",
            "give the folder that they are in",
        )
    most = max(MAX_CHARACTERS, 2 * file.size)
    tensors, missing, kinds = _collected(file, shards, most)
    metadata = index.get("metadata")
    tensors = safetensors.tied(tensors, metadata if isinstance(metadata, dict) else {})
    kind = kinds.pop() if len(kinds) == 1 else "state dict"
    inventory = state_dict.inventory_from(tensors, most)
    order = safetensors.SORTED if kind == safetensors.KIND else _UNORDERED
    remarks = (*inventory.remarks, order, *_missing(missing, shards))
    return replace(
        inventory, kind=f"{kind} in {len(shards)} files", order="sorted", remarks=remarks
    )


def _collected(
    file: Sibling, shards: Mapping[str, list[str]], most: int
) -> tuple[Found, list[str], set[str]]:
    """The tensors of all existing files, whose names have at most `most` characters together, the
    names of missing ones, and the kinds of files."""
    collected: Found = []
    missing: list[str] = []
    kinds: set[str] = set()
    names: set[str] = set()
    left, limits, bounds = max(MAX_READ, 4 * file.size), Limits(), Names(most)
    for shard, listed in shards.items():
        try:
            with file.beside(shard) as source:
                kind, tensors = _tensors(source, shard, limits)
                kinds.add(kind)
                left -= source.bytes_read
        except FileNotFoundError:
            missing.append(shard)
            # a new object for each: a shared one would count as tied
            tensors = [(name, tensor, tensor) for name in listed for tensor in [Tensor(None, None)]]
        own = {name for name, _, _ in tensors}
        bounds.count(own)
        _check_names(file.path, shard, own, names, listed)
        names |= own
        collected += tensors
        if left < 0 or len(collected) > MAX_TENSORS:
            raise _refused(file.path, "its files describe more tensors than any model has")
    return collected, missing, kinds


def _tensors(source: BytesSource, shard: str, limits: Limits) -> tuple[str, Found]:
    """The kind of a file, and its tensors; storages are never shared with other files."""
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
    if len(shards) > MAX_SHARDS or len(weights) > MAX_TENSORS:
        raise _refused(path, f"it is in more than {MAX_SHARDS:,} files, or has too many tensors")
    for shard in shards:
        if len(shard.encode(errors="replace")) > MAX_FILE_NAME:
            raise _refused(path, f"it has a file name of more than {MAX_FILE_NAME} bytes")
        if set(shard) & set("/\\:\0") or shard in ("", ".", ".."):
            raise _refused(path, f"it names a file that is not in its folder: `{shard}`")
    return {shard: shards[shard] for shard in sorted(shards)}


def _check_names(path: str, shard: str, own: set[str], before: set[str], listed: list[str]) -> None:
    """Raises ModelError unless the files hold all tensors of the index, each once."""
    duplicates = sorted(own & before)
    missing = [name for name in listed if name not in own]
    if duplicates or missing:
        why = f"repeats `{duplicates[0]}`" if duplicates else f"lacks `{missing[0]}`"
        raise ModelError(
            codes.BROKEN,
            f"`{path}` does not match its files: `{shard}` {why}",
            "download or copy the whole folder again",
        )


def _missing(missing: list[str], shards: Mapping[str, list[str]]) -> tuple[str, ...]:
    if not missing:
        return ()
    tensors = sum(len(shards[shard]) for shard in missing)
    return (
        f"{len(missing)} of {len(shards)} files are missing (`{missing[0]}`): only the names of "
        f"{tensors:,} tensors are known",
    )


def _refused(path: str, why: str) -> ModelError:
    return ModelError(codes.OVER_LIMIT, f"`{path}` is not read: {why}")
