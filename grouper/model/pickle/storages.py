"""The dtype of a storage, from the name of its class in a reference or in embedded bytes."""

from __future__ import annotations

import re
from typing import Any

from grouper.model.pickle.values import Call, Global, Opaque, Reference

_DTYPES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexDouble": "complex128",
    "ComplexFloat": "complex64",
    "QInt8": "qint8",
    "QInt32": "qint32",
    "QUInt8": "quint8",
    "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
    # only in TorchScript
    "ComplexHalf": "complex32",
    "Float8_e4m3fn": "float8_e4m3fn",
    "Float8_e5m2": "float8_e5m2",
    "Float8_e4m3fnuz": "float8_e4m3fnuz",
    "Float8_e5m2fnuz": "float8_e5m2fnuz",
    "Float8_e8m0fnu": "float8_e8m0fnu",
    "UInt16": "uint16",
    "UInt32": "uint32",
    "UInt64": "uint64",
}
_HEAD = 512
_CLASS = re.compile(rb"ctorch(?:\.cuda)?\n(\w{1,16})Storage\n")


def dtype_of(storage: Reference | Call) -> str | None:
    """The dtype of a storage's elements; None if unknown."""
    if isinstance(storage, Reference):
        identity = storage.value
        kind = identity[1] if isinstance(identity, tuple) and len(identity) > 2 else None
        return _DTYPES.get(kind.name.removesuffix("Storage")) if isinstance(kind, Global) else None
    return _in_bytes(storage)


def _in_bytes(storage: Call) -> str | None:
    """The dtype of a storage embedded in the pickle, which `pickle.dump` writes as a whole file in
    the format of torch before 1.6."""
    function, arguments = storage.function, storage.arguments
    if not isinstance(function, Global) or function.dotted != "torch.storage._load_from_bytes":
        return None
    match = (
        _CLASS.search(_head(arguments[0])) if isinstance(arguments, tuple) and arguments else None
    )
    return _DTYPES.get(match[1].decode()) if match else None


def _head(value: Any) -> bytes:
    """The first bytes of a value; protocols 0 to 2 write bytes as a string to be encoded."""
    if isinstance(value, Call) and isinstance(value.function, Global):
        if value.function.dotted != "_codecs.encode" or not isinstance(value.arguments, tuple):
            return b""
        value = value.arguments[0] if value.arguments else None
        if isinstance(value, str):
            return value[:_HEAD].encode("latin-1", "replace")
        if isinstance(value, Opaque):
            return value.head.decode("utf-8", "ignore").encode("latin-1", "replace")
    if isinstance(value, Opaque):
        return value.head
    return value[:_HEAD] if isinstance(value, bytes) else b""
