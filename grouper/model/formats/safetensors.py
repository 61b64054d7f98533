"""safetensors: a length, a JSON header with names, dtypes, shapes and offsets, and the data.

The header is validated by the format's rules: the tensors fill the data without gaps or overlaps,
each with the length of its shape and dtype. The format sorts tensors and stores each storage once;
`save_model` of the safetensors library writes the other names of tied tensors as metadata.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, TypeGuard

from grouper.model import codes
from grouper.model.contents import state_dict
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource, Part, cut_short
from grouper.model.files.json import parsed
from grouper.model.inventory import Inventory
from grouper.model.name_limits import Names
from grouper.model.pickle.tensors import MAX_DIM, MAX_NDIM, Tensor
from grouper.text.dataclass import replace

KIND = "safetensors"
SORTED = (
    "safetensors does not keep the model's order nor, except with `save_model`, all names of tied "
    "weights"
)
MAX_HEADER = 100_000_000  # bytes, from the format's specification
# A file with one rank's parts: its name, and the key of its metadata that holds their offsets.
PART = re.compile(r"shard-\d{5,}-model-\d{5,}-of-\d{5,}\.safetensors")
PLACES = "DCP_SHARDING_INFO"
_LATER = re.compile(r'"saved_offsets": ?\[[^][]*[1-9]')
_METADATA = "__metadata__"
_HEAD = re.compile(rb'.{8}\{\s*["}]', re.DOTALL)
_TEXT = re.compile(rb"[\t\n\r -~]{8}")
# torch's name and the bits of an element; elements of F4 are stored in pairs
_DTYPES = {
    "BOOL": ("bool", 8),
    "F4": ("float4_e2m1fn_x2", 4),
    "F6_E2M3": ("float6_e2m3fn", 6),
    "F6_E3M2": ("float6_e3m2fn", 6),
    "U8": ("uint8", 8),
    "I8": ("int8", 8),
    "F8_E5M2": ("float8_e5m2", 8),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "I16": ("int16", 16),
    "U16": ("uint16", 16),
    "F16": ("float16", 16),
    "BF16": ("bfloat16", 16),
    "I32": ("int32", 32),
    "U32": ("uint32", 32),
    "F32": ("float32", 32),
    "C64": ("complex64", 64),
    "F64": ("float64", 64),
    "I64": ("int64", 64),
    "U64": ("uint64", 64),
}


def recognises(head: bytes) -> bool:
    """Whether a file begins with a length and a JSON object rather than text."""
    return _HEAD.match(head) is not None and _TEXT.match(head) is None


def read(file: BytesSource, key: str | None) -> Inventory:
    """The inventory of a safetensors file; only its header is read."""
    no_parts(file.path, key)
    entries, metadata = header(file)
    if not entries:
        raise ModelError(codes.NOT_A_MODEL, f"`{file.path}` holds no tensors")
    if _of_one_rank(file.path, metadata):
        raise ModelError(
            codes.NOT_A_MODEL,
            f"`{file.path}` is one rank's part of a distributed checkpoint",
            "give the folder that it is in",
        )
    return inventory_of(tied(_named(entries, {}), metadata))


def inventory_of(tensors: list[tuple[str, Tensor, Any]]) -> Inventory:
    """The inventory of tensors from files that sort them."""
    inventory = state_dict.inventory_from(tensors)
    return replace(inventory, kind=KIND, order="sorted", remarks=(*inventory.remarks, SORTED))


def _of_one_rank(path: str, metadata: Mapping[str, Any]) -> bool:
    """Whether a file holds one rank's parts of tensors. All parts of the first rank begin at 0, so
    only the file's name distinguishes it from a file of full tensors."""
    named = PART.fullmatch(os.path.basename(path)) is not None
    return PLACES in metadata and (named or _LATER.search(str(metadata[PLACES])) is not None)


def no_parts(path: str, key: str | None) -> None:
    """Raises ModelError if `--key` is used for a file that holds a single model."""
    if key is not None:
        raise ModelError(
            codes.NO_SUCH_KEY,
            f"`{path}` has no model under `{key}`",
            "it holds one model: omit `--key`",
        )


def tensors(file: BytesSource) -> list[tuple[str, Tensor, Any]]:
    """The tensors by name, in the form of `state_dict.tensors_of`."""
    return _named(*header(file))


def _named(
    entries: Mapping[str, Any], metadata: Mapping[str, Any]
) -> list[tuple[str, Tensor, Any]]:
    tensors = [(name, facts, facts) for name, facts in tensors_by_name(entries)]
    return tied(tensors, metadata) if metadata else tensors


def tensors_by_name(entries: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """The facts of the tensors, from a header's entries."""
    for name, entry in entries.items():
        dtype, bits = _DTYPES[entry["dtype"]]
        shape = tuple(entry["shape"])
        if bits == 4 and shape:
            shape = (*shape[:-1], shape[-1] // 2)
        yield name, Tensor(shape, dtype, name)


def tied(
    tensors: list[tuple[str, Tensor, Any]], metadata: Mapping[str, Any]
) -> list[tuple[str, Tensor, Any]]:
    """Tensors sorted by name (numbers numerically), with all names of tied ones.

    Among other things, `metadata` maps the names of tied tensors that are not in the file to the
    one that is.
    """
    names = {name for name, _, _ in tensors}
    aliases: dict[str, list[str]] = {}
    for alias, name in metadata.items():
        if isinstance(name, str) and name in names and alias not in names:
            aliases.setdefault(name, []).append(alias)
    segments = _Segments()
    tensors = sorted(tensors, key=lambda each: segments.key(each[0]))
    if not aliases:
        return tensors
    return [
        (name, tensor, item)
        for stored, tensor, item in tensors
        for name in (stored, *aliases.get(stored, ()))
    ]


class _Segments(dict[str, str]):
    """The sort keys of names' segments: `layers.10` comes after `layers.9`."""

    def __missing__(self, segment: str) -> str:
        number = len(segment) < 4 and segment.isascii() and segment.isdigit()
        key = self[segment] = segment.zfill(4) if number else segment
        return key

    def key(self, name: str) -> str:
        return ".".join(map(self.__getitem__, name.split(".")))


def header(file: BytesSource) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entries of a header, validated by the format's rules, and its metadata."""
    length = int.from_bytes(file.read(0, 8), "little")
    if length > MAX_HEADER:
        raise ModelError(
            codes.BROKEN,
            f"`{file.path}` declares a header of {length:,} bytes, more than the format allows",
            "download or copy the file again",
        )
    entries = parsed(Part(file, 8, length))
    metadata = entries.pop(_METADATA, {})
    if not isinstance(metadata, dict):
        raise cut_short(file.path)
    Names().count(entries)
    _check_layout(file, entries, file.size - 8 - length)
    return entries, metadata


def _check_layout(file: BytesSource, entries: Mapping[str, Any], length: int) -> None:
    """Raises ModelError unless the tensors fill the data without gaps or overlaps."""
    spans = [(*_span(file, name, entry), name) for name, entry in entries.items()]
    spans.sort()
    end = 0
    for start, stop, name in spans:
        if start != end:
            what = "overlaps another" if start < end else "has a gap before it"
            raise _broken(file, f"tensor `{name}` {what}")
        end = stop
    if end > length:
        raise _broken(file, f"{end - length:,} of {end:,} bytes of its tensors are missing")
    if end < length:
        raise _broken(file, f"{length - end:,} bytes follow its last tensor")


def _span(file: BytesSource, name: str, entry: Any) -> tuple[int, int]:
    """The start and end of a tensor's bytes, validated against its shape and dtype."""
    if not isinstance(entry, dict):
        raise cut_short(file.path)
    shape, dtype, offsets = entry.get("shape"), entry.get("dtype"), entry.get("data_offsets")
    if not sizes(shape) or len(shape) > MAX_NDIM or not sizes(offsets) or len(offsets) != 2:
        raise _broken(file, f"tensor `{name}` has an impossible shape or place")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{file.path}` has a tensor `{name}` of a dtype that grouper does not know",
            "give the checkpoint that it was made from",
        )
    start, end = offsets
    if 8 * (end - start) != prod(shape) * _DTYPES[dtype][1]:
        raise _broken(file, f"tensor `{name}` does not have the length of its shape")
    return start, end


def sizes(value: Any) -> TypeGuard[list[int]]:
    """Whether a JSON value is a list of sizes."""
    if not isinstance(value, list):
        return False
    return not [n for n in value if type(n) is not int or not 0 <= n < MAX_DIM]


def _broken(file: BytesSource, why: str) -> ModelError:
    return ModelError(
        codes.BROKEN, f"`{file.path}` is damaged: {why}", "download or copy the file again"
    )
