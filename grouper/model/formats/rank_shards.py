"""Folders of safetensors files that each hold one rank's parts of the tensors.

`torch.distributed.checkpoint` writes them with its `HuggingFaceStorageWriter` (`save_distributed`).
Each file's metadata gives the offsets of its parts in the full tensors; a tensor's shape is the
extent of its parts, like in `HuggingFaceStorageReader`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from math import prod
from operator import add
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.file import Buffer, BytesSource, File, cut_short
from grouper.model.files.json import parsed
from grouper.model.formats import safetensors
from grouper.model.formats.safetensors import PART, PLACES
from grouper.model.formats.sharded_index import MAX_SHARDS
from grouper.model.inventory import Inventory
from grouper.model.name_limits import Names
from grouper.model.pickle.tensors import Tensor
from grouper.text.dataclass import replace

_BEGINS = "saved_offsets"
MAX_PARTS = 150_000  # of all tensors in all files: they take two seconds
MAX_READ = 24 << 20  # bytes, of all files together
_MAX_LISTED = 100_000


def recognises(folder: str) -> bool:
    """Whether a folder has such files."""
    return next(_parts(folder), None) is not None


def read(folder: str, key: str | None) -> Inventory:
    """The inventory of all parts together, from each file's header.

    Raises OSError if a file cannot be opened, ModelError for any other error.
    """
    safetensors.no_parts(folder, key)
    names = sorted(islice(_parts(folder), MAX_SHARDS + 1))
    left = MAX_PARTS if len(names) <= MAX_SHARDS else 0
    unread, bounds = MAX_READ, Names()
    wholes: dict[str, Tensor] = {}
    sizes: dict[str, int] = {}
    for part in names:
        with File(os.path.join(folder, part)) as file:
            for name, tensor, place in _placed(file):
                if name not in wholes:
                    bounds.counted(name)
                wholes[name] = _reaching(file, name, wholes.get(name), tensor, place)
                sizes[name] = sizes.get(name, 0) + prod(tensor.shape or ())
                left -= 1
            unread -= file.bytes_read
        if left < 0 or unread < 0:
            raise ModelError(
                codes.OVER_LIMIT,
                f"`{folder}` is not read: it has more than {MAX_PARTS:,} parts, or large headers",
                "give the folder of the consolidated files, or the model's code as `pkg:factory`",
            )
    for name, whole in wholes.items():
        if sizes[name] < prod(whole.shape or ()):
            raise ModelError(
                codes.BROKEN,
                f"`{folder}` lacks parts of `{name}`",
                "download or copy the whole folder again",
            )
    tensors = [(name, whole, whole) for name, whole in wholes.items()]
    inventory = safetensors.inventory_of(safetensors.tied(tensors, {}))
    return replace(inventory, kind=f"{inventory.kind} of {len(names)} ranks")


def _parts(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (e.name for e in islice(entries, _MAX_LISTED) if PART.fullmatch(e.name))


def _placed(file: BytesSource) -> Iterator[tuple[str, Tensor, Any]]:
    """The parts in a file, and their offsets in the full tensors."""
    entries, metadata = safetensors.header(file)
    tensors = list(safetensors.tensors_by_name(entries))
    entries.clear()  # the places take the same amount of memory again
    places = _places(file, metadata)
    for name, tensor in tensors:
        yield name, tensor, places[name][_BEGINS]


def _places(file: BytesSource, metadata: Mapping[str, Any]) -> dict[str, Any]:
    text = metadata.get(PLACES)
    if not isinstance(text, str):
        raise cut_short(file.path)
    return parsed(Buffer(text.encode(), file.path))


def _reaching(
    file: BytesSource, name: str, whole: Tensor | None, part: Tensor, place: Any
) -> Tensor:
    """Extends a tensor by one more part."""
    shape, before = part.shape or (), whole or part
    alike = (before.dtype, len(before.shape or ())) == (part.dtype, len(shape))
    if not alike or not safetensors.sizes(place) or len(place) != len(shape):
        raise ModelError(
            codes.BROKEN,
            f"`{file.path}` is damaged: its part of `{name}` does not fit the others",
            "download or copy the whole folder again",
        )
    ends = map(add, place, shape)
    return replace(before, shape=tuple(map(max, before.shape or (), ends)))
