"""From a model file to its inventory: the file's content says which reader it gets."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import replace

from grouper.inventory import codes, snapshot
from grouper.inventory.checkpoint import deepspeed, distributed, torch_zip
from grouper.inventory.checkpoint.file import File
from grouper.inventory.errors import ModelError
from grouper.inventory.model import Inventory

# What else a file may be, by its first bytes: what it is, and what to do.
_OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file", "run `git lfs pull`"),
    (b"<!DOCTYPE", "a web page", "download the file itself"),
    (b"<html", "a web page", "download the file itself"),
    (b"GGUF", "a GGUF file", "give the checkpoint that it was made from"),
    (b"\x89HDF", "an HDF5 file", "save the model with torch"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first"),
    (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", "saved by torch before 1.6", ""),
)
_RESAVE = "load it with torch and save it again: `torch.save(torch.load(path), path)`"


def read(path: str, key: str | None = None) -> Inventory:
    """The inventory of a model file or snapshot, without running anything of it.

    Raises FileNotFoundError or another OSError where it cannot be opened, and ModelError, with its
    one finding, for whatever else is wrong.
    """
    try:
        if os.path.isdir(path):
            return replace(_read_folder(path, key), path=path)
        distributed.refuse_shard(path)
        with File(path) as file:
            return replace(_read(file, key), path=path)
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        RuntimeError,
        MemoryError,
        struct.error,
        zlib.error,
    ) as error:
        # The readers raise ModelError for what they foresee; this is the outer wall.
        raise ModelError(
            codes.BROKEN,
            f"`{path}` cannot be read: {type(error).__name__}",
            "download or copy the file again",
        ) from error


def _read_folder(path: str, key: str | None) -> Inventory:
    if distributed.recognises(path):
        return distributed.read(path, key)
    if deepspeed.recognises(path):
        return read(deepspeed.model_file(path), key)
    raise ModelError(codes.NOT_A_MODEL, f"`{path}` is a folder", "give the checkpoint file in it")


def _read(file: File, key: str | None) -> Inventory:
    head = file.read(0, min(file.size, 64))
    if not head:
        raise ModelError(codes.BROKEN, f"`{file.path}` is empty", "download the file again")
    if head.startswith(b"PK\3\4"):
        return torch_zip.read(file, key)
    if head.lstrip()[:1] == b"{":
        return snapshot.read(file)
    for magic, what, help in _OTHERS:
        if head.startswith(magic):
            raise ModelError(codes.UNSUPPORTED, f"`{file.path}` is {what}", help or _RESAVE)
    raise ModelError(
        codes.NOT_A_MODEL,
        f"`{file.path}` is no model file that grouper reads",
        "give a `.pt` file written by torch, or a snapshot of `grouper params MODEL --save FILE`",
    )
