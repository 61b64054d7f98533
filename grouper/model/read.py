"""From a model file to its inventory: the file's content says which reader it gets."""

from __future__ import annotations

import gc
import os
import struct
import zlib
from dataclasses import replace
from itertools import islice
from typing import Protocol

from grouper.model import codes, factories
from grouper.model.errors import ModelError
from grouper.model.files import remote
from grouper.model.files.file import BytesSource, File
from grouper.model.formats import (
    deepspeed,
    hugging_face,
    json_file,
    plain_pickle,
    rank_shards,
    safetensors,
    torch_distributed,
    torch_legacy,
    torch_zip,
    unsupported,
)
from grouper.model.inventory import Inventory

MAX_LISTED = 100_000


class FileFormat(Protocol):
    """A file of `formats/` that reads model files, which it recognises by their first bytes."""

    def recognises(self, head: bytes) -> bool: ...

    def read(self, file: BytesSource, key: str | None) -> Inventory: ...


class FolderFormat(Protocol):
    """A file of `formats/` that reads folders, which it recognises by what is in them."""

    def recognises(self, folder: str) -> bool: ...

    def read(self, folder: str, key: str | None) -> Inventory: ...


# The first that recognises what it is given reads it. A safetensors file may begin like a pickle.
FILES: tuple[FileFormat, ...] = (torch_zip, torch_legacy, safetensors, plain_pickle, json_file)
# Other folders are Hugging Face's, or have one file of weights.
FOLDERS: tuple[FolderFormat, ...] = (torch_distributed, rank_shards, deepspeed)


def read_named_by_rules(path: str, key: str | None = None) -> Inventory:
    """As `read`, for a path that stands in a rules file: whoever checks a stranger's rules neither
    runs code nor fetches anything for them."""
    if factories.recognises(path) or remote.recognises(path):
        raise ModelError(
            codes.UNSUPPORTED,
            f"rules name snapshots and model files, and `{path}` is code or an address",
            "name it on the command line",
        )
    return read(path, key)


def read(path: str, key: str | None = None) -> Inventory:
    """The inventory of a model file, folder or snapshot, without running anything of it.

    `path` may be an address (`https://...`), or name what builds the model (`timm:NAME`): only the
    last runs code.

    Raises FileNotFoundError or another OSError where it cannot be opened, and ModelError, with its
    one finding, for whatever else is wrong.
    """
    if factories.recognises(path):
        return factories.read(path, key)
    collects = gc.isenabled()
    gc.disable()  # it would look through millions of values, none of which is garbage
    try:
        if remote.recognises(path):
            return _of_address(path, key)
        if os.path.isdir(path):
            inventory = _of_folder(path, key)
        else:
            torch_distributed.refuse_shard(path)
            with File(path) as file:
                inventory = _of_file(file, key)
        return replace(inventory, path=path)
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
        too_much = isinstance(error, MemoryError | RecursionError)
        raise ModelError(
            codes.OVER_LIMIT if too_much else codes.BROKEN,
            f"`{remote.shown(path)}` cannot be read: {type(error).__name__}",
            None if too_much else "download or copy the file again",
        ) from error
    finally:
        if collects:
            gc.enable()


def _of_address(url: str, key: str | None) -> Inventory:
    with remote.Remote(url) as file:
        return replace(_of_file(file, key), path=file.path)


def _of_file(file: BytesSource, key: str | None) -> Inventory:
    head = file.read(0, min(file.size, unsupported.HEAD))
    for form in FILES:
        if form.recognises(head):
            return form.read(file, key)
    raise unsupported.beginning(file.path, head)


def _of_folder(path: str, key: str | None) -> Inventory:
    for form in FOLDERS:
        if form.recognises(path):
            return form.read(path, key)
    with os.scandir(path) as entries:
        names = [e.name + "/" * e.is_dir() for e in islice(entries, MAX_LISTED)]
    with File(os.path.join(path, hugging_face.weights(path, names))) as file:
        inventory = _of_file(file, key)
        return replace(
            inventory, remarks=(*inventory.remarks, *hugging_face.remarks(file, inventory))
        )
