"""Formats that are recognised but not supported: their names, and what to do instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError

_DOWNLOAD = "download the file itself"
_UNPACK = "unpack it first"
_CONVERTED = "give the checkpoint that it was made from"
_SAVE = "load the model in its own library, and `torch.save(model.state_dict(), path)`"
_CODE = "save the model that the program builds: `torch.save(model.state_dict(), path)`"

# By the beginning of a file. The order matters: the first match is used.
_BEGINNINGS = (
    (rb"version https://git-lfs", "a Git LFS pointer, not the file", "run `git lfs pull`"),
    (rb"oid sha256:|/annex/objects/", "a pointer to a file stored elsewhere", _DOWNLOAD),
    (rb"\xef?\xbb?\xbf?\s*(?i:<!doctype html|<html|<head)", "a web page", _DOWNLOAD),
    (rb"\xef?\xbb?\xbf?\s*<\?xml", "an XML page, often a server's error page", _DOWNLOAD),
    (
        rb"(?i:entry not found|not found|access denied|forbidden|unauthorized|invalid username"
        rb"|repository not found|40[134]\b|too many requests|rate limit)",
        "a server's error message",
        _DOWNLOAD,
    ),
    (rb"GGUF|lmgg|fmgg|tjgg|algg", "a GGUF file of llama.cpp", _CONVERTED),
    (rb"\x89HDF\r\n", "an HDF5 file, the format of Keras", _SAVE),
    (rb"\x93NUMPY", "a numpy array", _SAVE),
    (rb"\x08\x01\x12", "a SavedModel of TensorFlow", _SAVE),
    (rb"\x08[\2-\x20](?:\x12.[\w.-]*|[:B])", "an ONNX model", _CONVERTED),
    (rb".{4}TFL3", "a model of TensorFlow Lite", _CONVERTED),
    (rb".{4}ET1\d", "a program of ExecuTorch", _CONVERTED),
    (rb"ftrt|ptrt", "an engine of TensorRT", _CONVERTED),
    (rb"7767517\n", "a model of ncnn", _CONVERTED),
    (
        rb"(?:[\x81-\x8f]|\xde..|\xdf.{4})(?:[\xa1-\xbf]|\xd9.)[A-Za-z_]\w*",
        "a msgpack file of Flax",
        _SAVE,
    ),
    (rb"\x1f\x8b", "compressed with gzip", _UNPACK),
    (rb"\xfd7zXZ\0", "compressed with xz", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK),
    (rb"BZh[1-9]", "compressed with bzip2", _UNPACK),
    (rb"\x04\x22\x4d\x18", "compressed with lz4", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "an archive of 7-Zip", _UNPACK),
    (rb"Rar!\x1a\x07", "an archive of RAR", _UNPACK),
    (rb"PK\x05\x06", "a zip archive without members", _DOWNLOAD),
    (
        rb"(?=.{257}ustar)(?:\./)?(?:sys_info|pickle|storages|tensors)/?\0",
        "saved by torch before 0.1.10",
        "load it with a version of torch that still can, and save it again with `torch.save`",
    ),
    (rb".{257}ustar", "a tar archive", _UNPACK),
    (rb"(?=.{,300}joblib)(?:\x80[\2-\5]|x[\x01\x5e\x9c\xda])", "a pickle of joblib", _SAVE),
    (rb"x[\x01\x5e\x9c\xda]", "compressed with zlib, like files of joblib", _SAVE),
    (rb"MATLAB \d", "a file of MATLAB", _SAVE),
    (rb"%PDF-", "a PDF document", "give the path of a checkpoint"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF", "an image, audio or video file", "give a checkpoint"),
    (rb"PAR1|ARROW1|SQLite format 3", "a table of data", "give the path of a checkpoint"),
    (rb"\x7fELF|MZ|\xcf\xfa\xed\xfe", "a program or library", "give the path of a checkpoint"),
    (rb"#!|(?:from [\w.]+ )?import \w|def \w+\(|class \w+[(:]", "a program's source", _CODE),
)
_PATTERNS = tuple((re.compile(p, re.DOTALL), what, help) for p, what, help in _BEGINNINGS)

# By the names of an archive's members.
_Test = Callable[[Collection[str]], bool]
_ARCHIVES: tuple[tuple[_Test, str, str], ...] = (
    (lambda names: all(n.endswith(".npy") for n in names), "an archive of numpy arrays", _SAVE),
    (lambda names: "model.weights.h5" in names, "a model of Keras", _SAVE),
    (lambda names: "MAR-INF/MANIFEST.json" in names, "an archive of TorchServe", _UNPACK),
    (lambda names: _any_ends(names, ".data/extern_modules"), "a package of torch.package", _SAVE),
    (
        lambda names: _any_ends(names, "/.data/serialization_id"),
        "an incomplete archive of `torch.save`",
        "save the model again, and check for errors of `torch.save`",
    ),
    (lambda names: _any_ends(names, "saved_model.pb"), "a SavedModel of TensorFlow", _SAVE),
    (lambda names: _any_ends(names, ".mlmodel"), "a model of Core ML", _CONVERTED),
    (
        lambda names: _any_ends(names, ".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".pkl"),
        "an archive of model files",
        _UNPACK,
    ),
)

# By the keys of a JSON object, any of which is enough.
_OBJECTS = (
    ({"error", "errors", "detail", "message"}, "a server's error message", _DOWNLOAD),
    (
        {"model_type", "architectures", "auto_map", "_class_name", "_diffusers_version"},
        "a model's configuration, without its weights",
        "give the folder, or the file of weights beside it",
    ),
    ({"weightsManifest", "modelTopology"}, "a model of TensorFlow.js", _SAVE),
    ({"added_tokens", "tokenizer_class"}, "a tokenizer", "give the file of weights beside it"),
    ({"nbformat"}, "a notebook", _CODE),
)


def beginning(path: str, head: bytes) -> ModelError:
    """The error for a file that begins with `head`."""
    if not head:
        return ModelError(codes.BROKEN, f"`{path}` is empty", "download the file again")
    for pattern, what, help in _PATTERNS:
        if pattern.match(head):
            return ModelError(codes.UNSUPPORTED, f"`{path}` is {what}", help)
    return ModelError(
        codes.NOT_A_MODEL,
        f"`{path}` is not a model file that grouper can read",
        "give a file written by torch or safetensors, or a snapshot of "
        "`grouper params MODEL --save FILE`",
    )


def archive(path: str, names: Collection[str]) -> ModelError:
    """The error for a zip archive with these members and no model."""
    for holds, what, help in _ARCHIVES:
        if names and holds(names):
            return ModelError(codes.UNSUPPORTED, f"`{path}` is {what}", help)
    return ModelError(
        codes.NOT_A_MODEL,
        f"`{path}` is a zip archive without a model",
        "give the file that `torch.save` wrote",
    )


def value(path: str, value: Any) -> ModelError:
    """The error for a JSON file with this value."""
    for keys, what, help in _OBJECTS:
        if isinstance(value, dict) and keys & value.keys():
            return ModelError(codes.UNSUPPORTED, f"`{path}` is {what}", help)
    return ModelError(
        codes.NOT_A_MODEL,
        f"`{path}` is JSON, but not a snapshot of a model",
        "write one with `grouper params MODEL --save FILE.json`",
    )


def _any_ends(names: Collection[str], *endings: str) -> bool:
    return any(name.endswith(endings) for name in names)
