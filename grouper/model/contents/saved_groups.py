"""Reads the parameter groups of optimizers in a checkpoint, without building anything."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from grouper.model.errors import over_limit
from grouper.model.pickle.mappings import attributes, texts
from grouper.model.pickle.tensors import tensor
from grouper.model.pickle.values import Call, Dict, Global, Sequence
from grouper.options.read_only import ReadOnly
from grouper.options.signatures import torch_signatures
from grouper.options.values import Value
from grouper.text.dataclass import dataclass

MAX_DEPTH = 4  # keys that lead to an optimizer's state
MAX_LOOKED_AT = 100_000  # values that are searched
MAX_TENSORS = 200_000
MAX_ITEMS = 100  # of an option that is a list
OWN_KEYS = ("params", "param_names")
# Keys of state tensors with the shape of their parameter, torch's own optimizers first.
_LIKE = ("exp_avg", "momentum_buffer", "square_avg", "sum", "prev", "exp_inf", "ax", "mu_product")
_SCALARS = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
_FORMATS = {"f8": "d", "f4": "f", "i8": "q", "i4": "i", "b1": "?"}


@dataclass(frozen=True)
class SavedTensor:
    """A tensor in an optimizer's state: its name and its shape, each None if unknown."""

    name: str | None
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class SavedGroup:
    """A saved parameter group; `options` are the keys with readable values."""

    options: Mapping[str, Value]
    tensors: tuple[SavedTensor, ...]


@dataclass(frozen=True)
class SavedGroups:
    """The groups of one optimizer. `key` is their place in the checkpoint, `optimizer` the class
    that has their options, None if several classes of torch do."""

    groups: tuple[SavedGroup, ...]
    key: str
    optimizer: str | None = None


def find(root: Any) -> tuple[SavedGroups, ...]:
    """The optimizers in a checkpoint, all from the depth at which the first one is found."""
    optimizers: list[SavedGroups] = []
    max_depth = MAX_DEPTH
    pending = deque([("", root, 0)])
    looked_at = 0
    while pending:
        key, value, depth = pending.popleft()
        looked_at += 1
        if depth > max_depth or looked_at > MAX_LOOKED_AT:
            break
        inside = texts(value)
        if inside is not None and "param_groups" in inside and "state" in inside:
            optimizers.append(_groups(inside, key))
            max_depth = depth
            continue
        for name, item in _below(value, inside):
            if tensor(item) is None:
                pending.append((f"{key}.{name}" if key else name, item, depth + 1))
    return tuple(optimizers)


def left_out(root: Any) -> str | None:
    """The key of a checkpoint that holds None instead of optimizer state."""
    inside = texts(root) or {}
    keys = ("optimizer", "optimizer_state_dict", "optimizer_states", "optim")
    return next((key for key in keys if key in inside and inside[key] is None), None)


def _below(value: Any, inside: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    if inside is not None:
        yield from inside.items()
    elif isinstance(value, Sequence | tuple):
        items = value.items if isinstance(value, Sequence) else value
        yield from ((str(index), item) for index, item in enumerate(items[:MAX_ITEMS]))
    elif isinstance(value, Call):
        yield from (attributes(value) or {}).items()


def _groups(inside: Mapping[str, Any], key: str) -> SavedGroups:
    shapes = _shapes(inside["state"])
    groups = tuple(
        _group(group, shapes) for item in _items(inside["param_groups"]) if (group := texts(item))
    )
    if sum(len(group.tensors) for group in groups) > MAX_TENSORS:
        raise over_limit(f"its optimizer has more than {MAX_TENSORS:,} tensors")
    return SavedGroups(groups, key, _class_of(groups))


def _class_of(groups: tuple[SavedGroup, ...]) -> str | None:
    """The optimizer class of torch whose options the groups all have; None if ambiguous."""
    keys = {key for group in groups for key in group.options}
    candidates = {name: s for name, s in torch_signatures().items() if keys >= set(s.constructor)}
    most = max((len(s.constructor) for s in candidates.values()), default=0)
    names = [name for name, s in candidates.items() if len(s.constructor) == most]
    if len(names) != 1 or names[0] not in ("Adam", "AdamW"):
        return names[0] if len(names) == 1 else None
    decoupled = groups[0].options.get("decoupled_weight_decay")  # saved since torch 2.7
    return None if decoupled is None else "AdamW" if decoupled else "Adam"


def _group(group: Mapping[str, Any], shapes: Mapping[Any, tuple[int, ...]]) -> SavedGroup:
    numbers = _items(group.get("params"))
    names = _items(group.get("param_names"))
    known = [name if isinstance(name, str) else None for name in names]
    if len(known) != len(numbers):
        known = [number if isinstance(number, str) else None for number in numbers]
    options = {key: _value(item) for key, item in group.items() if key not in OWN_KEYS}
    return SavedGroup(
        ReadOnly({key: value[0] for key, value in options.items() if value}),
        tuple(
            SavedTensor(name, shapes.get(number) if isinstance(number, int | str) else None)
            for number, name in zip(numbers, known, strict=True)
        ),
    )


def _shapes(state: Any) -> dict[Any, tuple[int, ...]]:
    """The shape of each parameter that has state of its own shape, by its number or name."""
    pairs = state.pairs if isinstance(state, Dict | Call) else ()
    shapes: dict[Any, tuple[int, ...]] = {}
    for number, item in pairs:
        inside = texts(item) if isinstance(number, int | str) else None
        tensors = {key: tensor(each) for key, each in (inside or {}).items()}
        sizes = {key: one.shape for key, one in tensors.items() if one is not None}
        shape = next((sizes[key] for key in _LIKE if key in sizes), None)
        others = {size for size in sizes.values() if size}  # not scalars such as step counters
        if shape is None and len(others) == 1:
            shape = others.pop()
        if shape is not None:
            shapes[number] = shape
    return shapes


def _items(value: Any) -> Any:
    if isinstance(value, Sequence):
        return value.items
    if isinstance(value, Call):  # `range(0, 3)`: some programs number parameters this way
        return _range(value)
    return value if isinstance(value, tuple) else ()


def _range(value: Call) -> Any:
    named = isinstance(value.function, Global) and value.function.name in ("range", "xrange")
    bounds = value.arguments
    if not named or not isinstance(bounds, tuple) or not all(type(n) is int for n in bounds):
        return ()
    numbers = range(*bounds) if 1 <= len(bounds) <= 3 and (len(bounds) < 3 or bounds[2]) else ()
    return tuple(numbers) if len(numbers) <= MAX_TENSORS else ()


def _value(item: Any) -> tuple[Value] | None:
    """The value of an option, in a tuple; None if it cannot be read, like a tensor or function."""
    if item is None or isinstance(item, bool | int | float | str):
        return (item,)
    if isinstance(item, Call):
        return _scalar(item)
    if not isinstance(item, Sequence | tuple):
        return None
    items = _items(item)
    inner = [_value(each) for each in items[:MAX_ITEMS]]
    if len(items) > MAX_ITEMS or any(each is None for each in inner):
        return None
    return (tuple(each[0] for each in inner if each is not None),)


def _scalar(item: Call) -> tuple[Value] | None:
    """The value of a numpy scalar; YOLO's warm-up puts those of `numpy.interp` into groups."""
    named = isinstance(item.function, Global) and item.function.dotted in _SCALARS
    arguments = item.arguments
    if not named or not isinstance(arguments, tuple) or len(arguments) != 2:
        return None
    kind, content = arguments
    if not isinstance(kind, Call) or not isinstance(kind.arguments, tuple) or not kind.arguments:
        return None
    letters, content = kind.arguments[0], _bytes(content)
    form = _FORMATS.get(letters.lstrip("<=|")) if isinstance(letters, str) else None
    if form is None or content is None or len(content) != struct.calcsize(form):
        return None
    return (struct.unpack(f"<{form}", content)[0],)


def _bytes(value: Any) -> bytes | None:
    """The bytes of a value; protocols 0 to 2 write bytes as a string to be encoded."""
    if isinstance(value, Call) and isinstance(value.function, Global):
        text = value.arguments[0] if isinstance(value.arguments, tuple) and value.arguments else ""
        if value.function.dotted == "_codecs.encode" and isinstance(text, str):
            return text.encode("latin-1", "replace")
    return value if isinstance(value, bytes) else None
