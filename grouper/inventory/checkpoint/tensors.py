"""What a pickled tensor says of itself; torch's rebuild functions, by name.

Sources: torch/_utils.py and torch/_tensor.py of torch 2.13, and what older versions wrote.
"""

from __future__ import annotations

from collections.abc import Sequence as Listed
from dataclasses import dataclass, replace
from typing import Any

from grouper.inventory.checkpoint.pickle_machine import Call, Dict, Global, Reference, Sequence

MAX_NDIM = 64
MAX_DIM = 2**63
_STORAGES = {
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
    # only TorchScript has storages of these
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
_UTILS = "torch._utils."
_FROM_TYPE = ("torch._tensor._rebuild_from_type_v2", "torch.tensor._rebuild_from_type_v2")
_PARAMETERS = (
    "torch.nn.parameter.Parameter",
    _UTILS + "_rebuild_parameter",
    _UTILS + "_rebuild_parameter_with_state",
)
_LAZY = ("torch.nn.parameter.UninitializedParameter", "torch.nn.parameter.UninitializedBuffer")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's facts. `storage` tells equal storages apart from others, by its key and offset.

    `trains` is requires_grad where the file keeps it: only parameters do.
    """

    shape: tuple[int, ...] | None
    dtype: str | None
    storage: tuple[object, ...] | None = None
    trains: bool | None = None
    is_parameter: bool = False


def tensor(value: Any) -> Tensor | None:
    """The facts of a value that is a tensor, None for everything else."""
    found: Tensor | None = None
    wrappers = []
    for _ in range(8):  # a parameter of a subclass of a tensor: never deeper
        name = _name(value)
        if name is None:
            return None
        if name in _PARAMETERS:
            wrappers.append(value)
            value = _argument(value, 0)
        elif name in _FROM_TYPE:
            value = Call(_argument(value, 0), _argument(value, 2), state=None)
        else:
            found = _rebuilt(name, value)
            break
    if found is None:
        return None
    for wrapper in wrappers:
        trains = _argument(wrapper, 1)
        found = replace(
            found, is_parameter=True, trains=trains if isinstance(trains, bool) else True
        )
    return found


def _name(value: Any) -> str | None:
    if isinstance(value, Call) and isinstance(value.function, Global):
        return value.function.dotted
    return None


def _argument(value: Any, index: int) -> Any:
    arguments = value.arguments
    if isinstance(arguments, tuple) and index < len(arguments):
        return arguments[index]
    return None


def _rebuilt(name: str, value: Any) -> Tensor | None:
    short = name.removeprefix(_UTILS)
    if name in _LAZY:
        return Tensor(None, None, None, True, name.endswith("Parameter"))
    if short in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"):
        return _strided(short, value)
    if short == "_rebuild_wrapper_subclass":
        return _made(_argument(value, 2), _dtype(_argument(value, 1)))
    if short == "_rebuild_meta_tensor_no_storage":
        return _made(_argument(value, 1), _dtype(_argument(value, 0)))
    if short == "_rebuild_sparse_tensor":
        return _sparse(_argument(value, 1))
    if short == "_rebuild_nested_tensor":
        buffer = tensor(_argument(value, 0))
        return Tensor(None, buffer.dtype if buffer else None)
    if short.startswith(("_rebuild_device_tensor", "_rebuild_xla_tensor")):
        inner = tensor(_argument(value, 0)) or _array(_argument(value, 0))
        return Tensor(inner.shape if inner else None, _dtype(_argument(value, 1)))
    return None


def _strided(short: str, value: Any) -> Tensor | None:
    storage, offset, size = (_argument(value, i) for i in range(3))
    if not isinstance(storage, Reference) or not isinstance(storage.value, tuple):
        return None
    identity = storage.value
    kind = identity[1] if len(identity) > 2 else None
    key = identity[2] if len(identity) > 2 else None
    dtype = _dtype(_argument(value, 6)) if short.endswith("v3") else _storage_dtype(kind)
    shape = shape_of(size)
    stride = shape_of(_argument(value, 3))
    where = None
    if isinstance(key, str | int) and isinstance(offset, int) and shape is not None:
        where = (key, offset, shape, stride, dtype)
    return Tensor(shape, dtype, where if shape and 0 not in shape else None)


def _made(size: Any, dtype: str | None) -> Tensor:
    return Tensor(shape_of(size), dtype)


def _sparse(arguments: Any) -> Tensor | None:
    if not isinstance(arguments, tuple):
        return None
    # (indices, values, size[, coalesced]) or (rows, columns, values, size)
    shape = next((s for a in arguments[:1:-1] if (s := shape_of(a)) is not None), None)
    values = next((t for a in arguments[1:3] if (t := tensor(a)) and _floats(t.dtype)), None)
    return Tensor(shape, values.dtype if values else None)


def _floats(dtype: str | None) -> bool:
    return dtype is not None and dtype.startswith(("float", "bfloat", "complex"))


def _array(value: Any) -> Tensor | None:
    """A pickled numpy array: its state is (version, shape, dtype, order, data)."""
    if isinstance(value, Call) and isinstance(value.state, tuple) and len(value.state) == 5:
        return Tensor(shape_of(value.state[1]), None)
    return None


def shape_of(value: Any) -> tuple[int, ...] | None:
    """A size: a tuple, or `torch.Size` of one; None for anything that no tensor can have."""
    if _name(value) == "torch.Size":
        value = _argument(value, 0)
    if isinstance(value, Sequence):
        value = tuple(value.items)
    if not isinstance(value, tuple) or len(value) > MAX_NDIM:
        return None
    if any(type(size) is not int or not 0 <= size < MAX_DIM for size in value):
        return None
    return value


def _dtype(value: Any) -> str | None:
    if isinstance(value, Global) and value.module == "torch":
        return value.name
    return None


def _storage_dtype(value: Any) -> str | None:
    if not isinstance(value, Global):
        return None
    return _STORAGES.get(value.name.removesuffix("Storage"))


def mapping(value: Any) -> list[tuple[str, Any]] | None:
    """The pairs of a dict (also an OrderedDict or its like) with string keys; None for others."""
    pairs: Listed[tuple[Any, Any]]
    if isinstance(value, Dict):
        pairs = value.pairs
    elif isinstance(value, Call) and isinstance(value.function, Global):
        if value.function.module not in ("collections", "builtins", "__builtin__"):
            return None
        if value.function.name not in ("OrderedDict", "dict", "defaultdict"):
            return None
        pairs = value.pairs or _listed_pairs(value.arguments)
    else:
        return None
    return list({key: item for key, item in pairs if isinstance(key, str)}.items())


def _listed_pairs(arguments: Any) -> list[tuple[Any, Any]]:
    """Old pickles build an OrderedDict from a list of two-item lists."""
    given = arguments[0] if isinstance(arguments, tuple) and arguments else None
    items = given.items if isinstance(given, Sequence) else []
    lists = (tuple(i.items) if isinstance(i, Sequence) else i for i in items)
    return [pair for pair in lists if isinstance(pair, tuple) and len(pair) == 2]
