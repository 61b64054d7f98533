"""The facts of a pickled tensor, from torch's rebuild functions, by name.

Sources: torch/_utils.py and torch/_tensor.py of torch 2.13, and files of older versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.model.pickle import arrays
from grouper.model.pickle.mappings import mapping, texts
from grouper.model.pickle.storages import dtype_of
from grouper.model.pickle.values import Call, Global, Reference, Sequence
from grouper.text.dataclass import dataclass, replace

__all__ = ["Tensor", "mapping", "tensor"]
MAX_NDIM = 64
MAX_DIM = 2**63
MAX_KEY = 256  # characters of a storage's key
_UTILS = "torch._utils."
_FROM_TYPE = ("torch._tensor._rebuild_from_type_v2", "torch.tensor._rebuild_from_type_v2")
_WITH_STATE = _UTILS + "_rebuild_parameter_with_state"
_PARAMETERS = ("torch.nn.parameter.Parameter", _UTILS + "_rebuild_parameter", _WITH_STATE)
_LAZY = ("torch.nn.parameter.UninitializedParameter", "torch.nn.parameter.UninitializedBuffer")
_V2 = _UTILS + "_rebuild_tensor_v2"
_JAGGED = "torch.nested._internal.nested_tensor._rebuild_njt"


@dataclass(slots=True)  # not frozen: that takes three times as long, and files have 100,000
class Tensor:
    """A tensor's facts. `storage` identifies its storage: a string, since a hostile file could
    choose numbers that all have the same hash.

    `trains` is requires_grad as saved, which in a state dict is meaningful only for parameters.
    `is_parameter` and `is_buffer` are True if the file says so. `marks` are the names of its
    attributes that are true.
    """

    shape: tuple[int, ...] | None
    dtype: str | None
    storage: str | None = None
    trains: bool | None = None
    is_parameter: bool = False
    is_buffer: bool = False
    marks: tuple[str, ...] = ()


def tensor(value: Any) -> Tensor | None:
    """The facts of a value that is a tensor or an array, None for everything else."""
    if not isinstance(value, Call):
        return None
    if value.facts is None:
        value.facts = _facts(value) or False
    return value.facts or None


def _facts(value: Any) -> Tensor | None:
    name = _name(value)
    if name == _V2:  # nearly all tensors
        return _strided("_rebuild_tensor_v2", value)
    wrappers = []
    for _ in range(4):  # a parameter of a tensor subclass: never deeper
        name = _name(value)
        if name in _PARAMETERS or name in _FROM_TYPE:
            wrappers.append((name, value))
            if name in _PARAMETERS:
                value = _argument(value, 0)
            else:
                value = Call(_argument(value, 0), _argument(value, 2))
        else:
            break
    facts = _rebuilt(value)
    for name, wrapper in reversed(wrappers):
        if facts is not None:
            facts = _wrapped(facts, name in _PARAMETERS, wrapper)
    return facts


def _wrapped(facts: Tensor, as_parameter: bool, wrapper: Any) -> Tensor:
    if as_parameter:
        trains = _argument(wrapper, 1)
        trains = trains if isinstance(trains, bool) else True
        own = _state(wrapper) if _name(wrapper) == _WITH_STATE else {}
        marks = tuple(word for word, value in own.items() if value)
        return Tensor(facts.shape, facts.dtype, facts.storage, trains, True, facts.is_buffer, marks)
    state = _state(wrapper)
    return replace(
        facts,
        is_parameter=facts.is_parameter or state.get("_is_param") is True,
        is_buffer=state.get("_is_buffer") is True,
    )


def _state(wrapper: Any) -> Mapping[str, Any]:
    """The attributes that are set on a rebuilt tensor."""
    state = _argument(wrapper, 3)
    return texts(state[0] if isinstance(state, tuple) and state else state) or {}


def _name(value: Any) -> str | None:
    if isinstance(value, Call) and isinstance(value.function, Global):
        return value.function.dotted
    return None


def _argument(value: Any, index: int) -> Any:
    arguments = value.arguments
    if isinstance(arguments, tuple) and index < len(arguments):
        return arguments[index]
    return None


def _rebuilt(value: Any, inside: bool = False) -> Tensor | None:
    """The tensor from a call of torch's rebuild functions; `inside` another call, no deeper."""
    name = _name(value) or ""
    short = name.removeprefix(_UTILS)
    if short in _STRIDED:
        return _strided(short, value)
    if name in _LAZY:
        trains = _argument(value, 0)
        trains = trains if isinstance(trains, bool) else True
        return Tensor(None, None, None, trains, name.endswith("Parameter"))
    if short == "_rebuild_wrapper_subclass":
        return _made(_argument(value, 2), _argument(value, 1), _argument(value, 7))
    if short == "_rebuild_meta_tensor_no_storage":
        return _made(_argument(value, 1), _argument(value, 0), _argument(value, 3))
    if name.startswith("numpy."):
        array = arrays.array(name, value)
        return Tensor(shape_of(array[0]), array[1]) if array else None
    return None if inside else _composed(name, short, value)


def _composed(name: str, short: str, value: Any) -> Tensor | None:
    """A tensor that is composed of others."""
    if short == "_rebuild_sparse_tensor":
        return _sparse(_argument(value, 1))
    if short == "_rebuild_nested_tensor" or name == _JAGGED:
        argument = _argument(value, 0)
        values = (texts(argument) or {}).get("values") if name == _JAGGED else argument
        inner = _inner(values)
        return Tensor(None, inner.dtype if inner else None)
    if short.startswith(("_rebuild_device_tensor", "_rebuild_xla_tensor")):
        inner = _inner(_argument(value, 0))
        shape = inner.shape if inner else None
        return Tensor(shape, _dtype(_argument(value, 1)), trains=_flag(_argument(value, 3)))
    return None


def _inner(value: Any) -> Tensor | None:
    if _name(value) in _FROM_TYPE:
        value = Call(_argument(value, 0), _argument(value, 2))
    return _rebuilt(value, inside=True)


# The position of requires_grad in each function's arguments.
_STRIDED = {
    "_rebuild_tensor": -1,
    "_rebuild_tensor_v2": 4,
    "_rebuild_tensor_v3": 4,
    "_rebuild_qtensor": 5,
}


def _strided(short: str, value: Any) -> Tensor | None:
    arguments = value.arguments
    if not isinstance(arguments, tuple) or len(arguments) < 4:
        return None
    storage, offset, size, steps = arguments[:4]
    if not isinstance(storage, Reference | Call):
        return None
    dtype = _dtype(_argument(value, 6)) if short.endswith("v3") else dtype_of(storage)
    shape, stride = shape_of(size), shape_of(steps)
    where = None
    identity = storage.value if isinstance(storage, Reference) else None
    key = identity[2] if isinstance(identity, tuple) and len(identity) > 2 else None
    named = isinstance(key, int) or (isinstance(key, str) and len(key) <= MAX_KEY)
    if named and isinstance(offset, int) and shape is not None and 0 not in (shape or ()):
        where = repr((key, _start(identity) + offset, shape, stride, dtype))
    place = _STRIDED[short]
    trains = _flag(arguments[place]) if 0 <= place < len(arguments) else None
    return Tensor(shape, dtype, where, trains)


def _start(identity: Any) -> int:
    """The offset in elements of a storage that is a view of another; only in very old files."""
    view = identity[5] if len(identity) > 5 else None
    start = view[1] if isinstance(view, tuple) and len(view) > 1 else 0
    return start if isinstance(start, int) else 0


def _made(size: Any, dtype: Any, trains: Any) -> Tensor:
    return Tensor(shape_of(size), _dtype(dtype), trains=_flag(trains))


def _sparse(arguments: Any) -> Tensor | None:
    if not isinstance(arguments, tuple) or not 3 <= len(arguments) <= 5:
        return None
    # (indices, values, size[, coalesced]) or (rows, columns, values, size)
    shape = next((s for a in arguments[:1:-1] if (s := shape_of(a)) is not None), None)
    values = [facts for a in arguments[1:3] if (facts := _inner(a)) is not None]
    return Tensor(shape, values[-1].dtype if values else None)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape from a tuple, list or `torch.Size`; None if no tensor can have it."""
    if isinstance(value, Call) and _name(value) == "torch.Size":
        value = _argument(value, 0)
    if isinstance(value, Sequence) and len(value.items) <= MAX_NDIM:
        value = tuple(value.items)
    if not isinstance(value, tuple) or len(value) > MAX_NDIM:
        return None
    for size in value:
        if type(size) is not int or not 0 <= size < MAX_DIM:
            return None
    return value


def _dtype(value: Any) -> str | None:
    if isinstance(value, Global) and value.module == "torch":
        return value.name
    return None
