"""Where the model is inside what a training program saved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from grouper.inventory import codes
from grouper.inventory.checkpoint import deepspeed, modules, state_dict
from grouper.inventory.checkpoint.tensors import mapping
from grouper.inventory.errors import ModelError
from grouper.inventory.model import Inventory

MAX_DEPTH = 4
MAX_VALUES = 100_000
# Best first: what is trained on comes before its average.
_PREFERRED = [
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
    "ema",
    "model_ema",
    "params_ema",
    "student",
    "teacher",
]
_NEVER = ("optim", "opt_", "scaler", "lr_sched", "scheduler")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model inside a checkpoint, and the keys that lead to it."""

    key: str
    value: Any

    @property
    def rank(self) -> tuple[int, int]:
        last = self.key.rpartition(".")[2]
        order = _PREFERRED.index(last) if last in _PREFERRED else len(_PREFERRED)
        return self.key.count("."), order


def find(root: Any, key: str | None, path: str) -> Inventory:
    """The inventory of the model in a checkpoint. Raises ModelError where there is none."""
    if deepspeed.is_engine(root) and key in (None, deepspeed.KEY):
        return deepspeed.inventory_of(root, path)
    found = _candidates(root)
    if key is not None:
        chosen = next((c for c in found if c.key == key), None)
        if chosen is None:
            listed = ", ".join(f"`{c.key}`" for c in found if c.key) or "none"
            raise ModelError(
                codes.NO_SUCH_KEY,
                f"`{path}` has no model under `{key}`",
                f"models are under: {listed}",
            )
    elif found:
        chosen = min(found, key=lambda candidate: candidate.rank)
    else:
        raise ModelError(
            codes.NOT_A_MODEL,
            f"`{path}` holds neither a module nor a state dict",
            "save the model with `torch.save(model.state_dict(), path)`",
        )
    others = [c.key for c in found if c is not chosen and c.key]
    inventory = _inventory(chosen.value)
    remark = (f"models also under {', '.join(f'`{k}`' for k in others)}: see `--key`",)
    return replace(
        inventory,
        key=chosen.key or None,
        remarks=inventory.remarks + (remark if others else ()),
    )


def _inventory(value: Any) -> Inventory:
    if modules.is_module(value):
        return modules.inventory_of(value)
    return state_dict.inventory_of(value)


def _candidates(root: Any) -> list[Candidate]:
    found: list[Candidate] = []
    seen: set[int] = set()
    pending: list[tuple[str, Any, int]] = [("", root, 0)]
    while pending and len(seen) < MAX_VALUES:
        key, value, depth = pending.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        if modules.is_module(value) or state_dict.is_state_dict(value):
            found.append(Candidate(key, value))
            continue
        pairs = mapping(value)
        if (
            pairs is None
            or depth >= MAX_DEPTH
            or {"state", "param_groups"} <= {k for k, _ in pairs}
        ):
            continue
        for name, item in pairs:
            if not name.startswith(_NEVER):
                pending.append((f"{key}.{name}" if key else name, item, depth + 1))
    return found
