"""Where the model is inside what a training program saved."""

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
MAX_LISTED = 1_000  # items of a list that are looked at
MAX_KEY = 1_000  # characters
MAX_SHOWN = 12
# Best first: what is trained on comes before its average.
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
AVERAGE = "ema"  # what Ultralytics and YOLOv5 load where it is there
Named = tuple[str, Tensor, Any]
_SAVE = "save the model with `torch.save(model.state_dict(), path)`"
_SAVED_TO = "give the file that the model was saved to"
_QUANTISED = (
    "a model without parameters, as quantised ones are",
    "give the checkpoint that it was made from",
)
_NEVER = ("optim", "scaler", "sched", "rng_state")


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a value is; its key is put together where it is asked for."""

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
    """The inventory of the model in a checkpoint. Raises ModelError where there is none.

    Where there are several that differ and `key` does not choose, one is taken, and a finding says
    which.
    """
    if _is_engine(root) and key in (None, ENGINE_KEY):
        from grouper.model.contents import deepspeed_engine

        return deepspeed_engine.inventory_of(root, path)
    found = _candidates(root, path)
    if key is not None:
        return _inventory(_chosen(found, key, path), path)
    if not found:
        raise _none(root, path)
    best = min(found, key=lambda candidate: candidate.rank)
    inventory = _inventory(best, path)
    others = [candidate for candidate in found if candidate is not best]
    if all_alike(inventory, others, lambda other: _inventory(other, path)):
        return inventory
    average = next((c for c in others if c.key == AVERAGE and best.place.depth == 1), None)
    if average is not None and (of_average := _readable(average, path)) is not None:
        others = [candidate for candidate in found if candidate is not average]
        return replace(of_average, findings=(_several(average.key, others, path),))
    return replace(inventory, findings=(_several(best.key, others, path),))


def _is_engine(root: Any) -> bool:
    """Whether a value is what DeepSpeed's engine saves for a rank."""
    keys = {name for name, _ in mapping(root) or ()}
    return ENGINE_KEY in keys and not keys.isdisjoint({"ds_version", "param_shapes"})


def _chosen(found: list[Candidate], key: str, path: str) -> Candidate:
    for candidate in found:
        if candidate.key == key:
            return candidate
    listed = _listed([candidate for candidate in found if candidate.place.above])
    help = f"models are under: {listed}" if listed else "there is one model: omit `--key`"
    raise ModelError(
        codes.NO_SUCH_KEY,
        f"`{path}` has no model under `{key}`",
        help if found else "it holds no model at all",
    )


def _none(root: Any, path: str) -> ModelError:
    inside = mapping(root) or ()
    if _is_optimizer(inside):
        holds, help = "the state of an optimizer, not a model", _SAVED_TO
    elif any(name.endswith("_packed_params") for name, _ in inside):
        holds, help = _QUANTISED
    elif any(tensor(item) is not None for item in _listed_in(root)):
        holds, help = "tensors without names", _SAVE
    else:
        holds, help = "neither a module nor a state dict", _SAVE
    return ModelError(codes.NOT_A_MODEL, f"`{path}` holds {holds}", help)


def _listed_in(root: Any) -> tuple[Any, ...]:
    listed = _items(root) if isinstance(root, Sequence | tuple) else ()
    return root, *(item for _, item in listed)


def _is_optimizer(items: Iterable[tuple[str, Any]]) -> bool:
    return {"state", "param_groups"} <= {name for name, _ in items}


def _several(taken: str, others: list[Candidate], path: str) -> Finding:
    why = ", as in Ultralytics" if taken == AVERAGE else ""
    return Finding(
        codes.SEVERAL_MODELS,
        f"`{path}` holds several models that differ; using `{taken}`{why}",
        notes=(f"the others are {_listed(others)}",),
        help=f"say which one is meant: `--key {taken}`",
    )


def _listed(found: list[Candidate]) -> str:
    more = f", and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
    return ", ".join(f"`{candidate.key}`" for candidate in found[:MAX_SHOWN]) + more


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
    """All models, those near the top first. Dicts of single numbers count if there is no other."""
    found: list[Candidate] = []
    numbers: list[Candidate] = []
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
            found.append(Candidate(place, value))
        elif inside and 2 * len(tensors := state_dict.tensors_of(value)) > len(inside):
            several = any(facts.shape != () for _, facts, _ in tensors)
            (found if several else numbers).append(Candidate(place, value, tensors))
        else:
            items = _items(value) if inside is None else inside
            looked_at += len(items)
            pending.extend(_below(place, items))
    if looked_at > MAX_VALUES and not found:
        raise _too_many(path)
    return found or numbers


def _too_many(path: str) -> ModelError:
    return ModelError(
        codes.OVER_LIMIT,
        f"`{path}` holds no model among its first {MAX_VALUES:,} values",
        _SAVE,
    )


def _items(value: Any) -> list[tuple[str, Any]]:
    """What is in a list, a tuple, or an object."""
    if isinstance(value, Sequence):
        value = tuple(value.items[:MAX_LISTED])
    if isinstance(value, tuple):
        return [(str(index), item) for index, item in enumerate(value[:MAX_LISTED])]
    state = attributes(value)
    return list(state.items()) if state is not None else []


def _below(place: _Place, items: list[tuple[str, Any]]) -> Iterable[tuple[_Place, Any]]:
    """The values that may hold a model, with their places: an optimizer's state does not."""
    if _is_optimizer(items):
        return
    for name, item in items:
        if not isinstance(item, Call | Sequence | tuple) and mapping(item) is None:
            continue
        below = place.below(name)
        if below.length <= MAX_KEY and not any(word in name.lower() for word in _NEVER):
            yield below, item
