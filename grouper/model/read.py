"""Reads a model file into an inventory; the reader is chosen by the file's content."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

from grouper.model import codes, factories
from grouper.model.errors import ModelError
from grouper.model.files import remote
from grouper.model.files.file import HEAD, BytesSource, File
from grouper.model.inventory import Inventory
from grouper.text.addresses import without_secrets
from grouper.text.collector import collector_off
from grouper.text.dataclass import replace

MAX_LISTED = 100_000
PART_OF_FOLDER = ".distcp"  # one rank's file of torch.distributed.checkpoint


class FileFormat(Protocol):
    """A module of `formats/` that reads model files and recognises them by their first bytes."""

    def recognises(self, head: bytes) -> bool: ...

    def read(self, file: BytesSource, key: str | None) -> Inventory: ...


class FolderFormat(Protocol):
    """A module of `formats/` that reads folders and recognises them by their content."""

    def recognises(self, folder: str) -> bool: ...

    def read(self, folder: str, key: str | None) -> Inventory: ...


def files() -> Iterator[FileFormat]:
    """The formats of files, each imported when needed. The first that recognises a file reads it.
    safetensors comes before pickles, since a safetensors file may begin like one."""
    from grouper.model.formats import torch_zip

    yield torch_zip
    from grouper.model.formats import torch_legacy

    yield torch_legacy
    from grouper.model.formats import safetensors

    yield safetensors
    from grouper.model.formats import plain_pickle

    yield plain_pickle
    from grouper.model.formats import json_file

    yield json_file


def folders() -> Iterator[FolderFormat]:
    """The formats of folders. Any other folder is Hugging Face's, or has one file of weights."""
    from grouper.model.formats import torch_distributed

    yield torch_distributed
    from grouper.model.formats import rank_shards

    yield rank_shards
    from grouper.model.formats import deepspeed

    yield deepspeed


def read_named_by_rules(path: str, key: str | None = None) -> Inventory:
    """Like `read`, for a path in a rules file: rules may be untrusted, so no code is run and
    nothing is fetched for them."""
    if factories.recognises(path) or remote.recognises(path):
        raise ModelError(
            codes.UNSUPPORTED,
            f"`{path}` is code or an address; rules may only name snapshots and model files",
            "give it on the command line",
        )
    return read(path, key)


def read(path: str, key: str | None = None) -> Inventory:
    """The inventory of a model file, folder or snapshot, without running its code.

    `path` may be an address (`https://...`), or name code that builds the model (`timm:NAME`): only
    the last runs code.

    Raises FileNotFoundError or another OSError if it cannot be opened, and ModelError with one
    finding for anything else.
    """
    if factories.recognises(path):
        return factories.read(path, key)
    with reading(path):
        return _read(path, key)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turns anything that a file's reader raises into ModelError, except OSError."""
    try:
        with collector_off():
            yield
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
        # The readers raise ModelError for the errors that they expect; this catches all others.
        too_much = isinstance(error, MemoryError | RecursionError)
        raise ModelError(
            codes.OVER_LIMIT if too_much else codes.BROKEN,
            f"`{without_secrets(path)}` cannot be read: {type(error).__name__}",
            None if too_much else "download or copy the file again",
        ) from error


def _read(path: str, key: str | None) -> Inventory:
    if remote.recognises(path):
        return _of_address(path, key)
    if os.path.isdir(path):
        return replace(_of_folder(path, key), path=path)
    if path.endswith(PART_OF_FOLDER):
        from grouper.model.formats.torch_distributed import refuse_part

        refuse_part(path)
    with File(path) as file:
        return replace(_of_file(file, key), path=path)


def _of_address(url: str, key: str | None) -> Inventory:
    with remote.Remote(url) as file:
        return replace(_of_file(file, key), path=file.path)


def _of_file(file: BytesSource, key: str | None) -> Inventory:
    head = file.read(0, min(file.size, HEAD))
    for form in files():
        if form.recognises(head):
            return form.read(file, key)
    from grouper.model.formats import unsupported

    raise unsupported.beginning(file.path, head)


def _of_folder(path: str, key: str | None) -> Inventory:
    for form in folders():
        if form.recognises(path):
            return form.read(path, key)
    from grouper.model.formats import hugging_face

    with os.scandir(path) as entries:
        names = [e.name + "/" * e.is_dir() for e in islice(entries, MAX_LISTED)]
    with File(os.path.join(path, hugging_face.weights(path, names))) as file:
        inventory = _of_file(file, key)
        return replace(
            inventory, remarks=(*inventory.remarks, *hugging_face.remarks(file, inventory))
        )
