"""Finds the model inside a checkpoint."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from grouper.model import codes
from grouper.model.contents import modules, state_dict
from grouper.model.contents.alike import all_alike
from grouper.model.errors import ModelError
from grouper.model.inventory import Inventory
from grouper.model.pickle.mappings import attributes, mapping
from grouper.model.pickle.tensors import Tensor, tensor
from grouper.model.pickle.values import Call, Sequence
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import Finding

MAX_VALUES = 200_000
MAX_LISTED = 1_000  # items of a list that are searched
MAX_KEY = 1_000  # characters
MAX_SHOWN = 12
# Best first: the trained model comes before its average.
_PREFERRED = (
    "model",
    "state_dict",
    "model_state_dict",
    "model_state",
    "module",
    "net",
    "network",
    "weights",
    "params",
    "generator",
    "netG",
    "student",
    "ema",
    "model_ema",
    "ema_state_dict",
    "ema_model",
    "params_ema",
    "teacher",
)
ENGINE_KEY = "module"  # where DeepSpeed's engine saves the model
AVERAGE = "ema"  # preferred by Ultralytics and YOLOv5 when they load a checkpoint
Named = tuple[str, Tensor, Any]
_SAVE = "save the model with `torch.save(model.state_dict(), path)`"
_SAVED_TO = "give the file that holds the model"
_QUANTISED = (
    "a model without parameters, like quantised models",
    "give the checkpoint that it was made from",
)
_NEVER = ("optim", "scaler", "sched", "rng_state")


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """The place of a value; its key is joined only when needed."""

    name: str = ""
    above: _Place | None = None
    depth: int = 0
    length: int = 0  # of the key

    @property
    def key(self) -> str:
        names, place = [], self
        while place.above is not None:
            names.append(place.name)
            place = place.above
        return ".".join(reversed(names))

    def below(self, name: str) -> _Place:
        return _Place(name, self, self.depth + 1, self.length + 1 + len(name))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model inside a checkpoint, and the keys that lead to it."""

    place: _Place
    value: Any
    tensors: list[Named] | None = None  # of a state dict

    @property
    def key(self) -> str:
        return self.place.key

    @property
    def rank(self) -> tuple[int, int]:
        name = self.place.name
        order = _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)
        return self.place.depth, order


def find(root: Any, key: str | None, path: str) -> Inventory:
    """The inventory of the model in a checkpoint. Raises ModelError if there is none.

    If several models differ and `key` is None, one is chosen, and a finding says which.
    """
    if _is_engine(root) and key in (None, ENGINE_KEY):
        from grouper.model.contents import deepspeed_engine

        return deepspeed_engine.inventory_of(root, path)
    candidates = _candidates(root, path)
    if key is not None:
        return _inventory(_under_key(candidates, key, path), path)
    if not candidates:
        raise _none(root, path)
    best = min(candidates, key=lambda candidate: candidate.rank)
    inventory = _inventory(best, path)
    others = [candidate for candidate in candidates if candidate is not best]
    if all_alike(inventory, others, lambda other: _inventory(other, path)):
        return inventory
    average = next((c for c in others if c.key == AVERAGE and best.place.depth == 1), None)
    if average is not None and (of_average := _readable(average, path)) is not None:
        others = [candidate for candidate in candidates if candidate is not average]
        return replace(of_average, findings=(_several(average.key, others, path),))
    return replace(inventory, findings=(_several(best.key, others, path),))


def _is_engine(root: Any) -> bool:
    """Whether a value was saved by DeepSpeed's engine for a rank."""
    keys = {name for name, _ in mapping(root) or ()}
    return ENGINE_KEY in keys and not keys.isdisjoint({"ds_version", "param_shapes"})


def _under_key(candidates: list[Candidate], key: str, path: str) -> Candidate:
    for candidate in candidates:
        if candidate.key == key:
            return candidate
    listed = _listed([candidate for candidate in candidates if candidate.place.above])
    help = f"models are under: {listed}" if listed else "there is one model: omit `--key`"
    raise ModelError(
        codes.NO_SUCH_KEY,
        f"`{path}` has no model under `{key}`",
        help if candidates else "it holds no model at all",
    )


def _none(root: Any, path: str) -> ModelError:
    inside = mapping(root) or ()
    if _is_optimizer(inside):
        holds, help = "optimizer state and no model", _SAVED_TO
    elif any(name.endswith("_packed_params") for name, _ in inside):
        holds, help = _QUANTISED
    elif any(tensor(item) is not None for item in _listed_in(root)):
        holds, help = "tensors without names", _SAVE
    else:
        holds, help = "neither a module nor a state dict", _SAVE
    return ModelError(codes.NOT_A_MODEL, f"`{path}` holds {holds}", help)


def _listed_in(root: Any) -> tuple[Any, ...]:
    items = _items(root) if isinstance(root, Sequence | tuple) else ()
    return root, *(item for _, item in items)


def _is_optimizer(items: Iterable[tuple[str, Any]]) -> bool:
    return {"state", "param_groups"} <= {name for name, _ in items}


def _several(key: str, others: list[Candidate], path: str) -> Finding:
    why = ", like in Ultralytics" if key == AVERAGE else ""
    return Finding(
        codes.SEVERAL_MODELS,
        f"`{path}` holds several models that differ; using `{key}`{why}",
        notes=(f"the others are {_listed(others)}",),
        help=f"choose one: `--key {key}`",
    )


def _listed(candidates: list[Candidate]) -> str:
    more = f", and {len(candidates) - MAX_SHOWN} more" if len(candidates) > MAX_SHOWN else ""
    return ", ".join(f"`{candidate.key}`" for candidate in candidates[:MAX_SHOWN]) + more


def _inventory(candidate: Candidate, path: str) -> Inventory:
    key = candidate.key or None
    if candidate.tensors is not None:
        return replace(state_dict.inventory_from(candidate.tensors), key=key)
    inventory = modules.inventory_of(candidate.value)
    if not inventory.parameters:
        holds, help = _QUANTISED
        raise ModelError(codes.NOT_A_MODEL, f"`{path}` holds {holds}", help)
    return replace(inventory, key=key)


def _readable(candidate: Candidate, path: str) -> Inventory | None:
    try:
        return _inventory(candidate, path)
    except ModelError:
        return None


def _candidates(root: Any, path: str) -> list[Candidate]:
    """All models, nearest the top first. Dicts of scalars count only if there are no others."""
    candidates: list[Candidate] = []
    scalars: list[Candidate] = []
    seen: set[int] = set()
    pending = deque([(_Place(), root)])
    looked_at = 0
    while pending:
        place, value = pending.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        inside = mapping(value)
        looked_at += 1 + len(inside or ())
        if looked_at > MAX_VALUES:
            break
        if modules.is_module(value):
            candidates.append(Candidate(place, value))
        elif inside and 2 * len(tensors := state_dict.tensors_of(value)) > len(inside):
            several = any(facts.shape != () for _, facts, _ in tensors)
            (candidates if several else scalars).append(Candidate(place, value, tensors))
        else:
            items = _items(value) if inside is None else inside
            looked_at += len(items)
            pending.extend(_below(place, items))
    if looked_at > MAX_VALUES and not candidates:
        raise _too_many(path)
    return candidates or scalars


def _too_many(path: str) -> ModelError:
    return ModelError(
        codes.OVER_LIMIT,
        f"`{path}` has no model among its first {MAX_VALUES:,} values",
        _SAVE,
    )


def _items(value: Any) -> list[tuple[str, Any]]:
    """The items of a list or tuple, or the attributes of an object."""
    if isinstance(value, Sequence):
        value = tuple(value.items[:MAX_LISTED])
    if isinstance(value, tuple):
        return [(str(index), item) for index, item in enumerate(value[:MAX_LISTED])]
    state = attributes(value)
    return list(state.items()) if state is not None else []


def _below(place: _Place, items: list[tuple[str, Any]]) -> Iterable[tuple[_Place, Any]]:
    """The values that may hold a model, with their places; none for optimizer state."""
    if _is_optimizer(items):
        return
    for name, item in items:
        if not isinstance(item, Call | Sequence | tuple) and mapping(item) is None:
            continue
        below = place.below(name)
        if below.length <= MAX_KEY and not any(word in name.lower() for word in _NEVER):
            yield below, item
