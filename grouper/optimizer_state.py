"""An optimizer's state carried over by the parameters' names, whatever became of its groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grouper.inventory.wrappers import wrapping_prefix

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Restored:
    """What became of a saved state, by parameter: `kept` goes on with it, `new` starts without,
    `dropped` was saved for a parameter that is not trained any more, `reshaped` is a parameter
    whose tensor has another shape than when it was saved, and starts without, too."""

    kept: tuple[str, ...]
    new: tuple[str, ...]
    dropped: tuple[str, ...]
    reshaped: tuple[str, ...]

    def __str__(self) -> str:
        counts = {word: len(getattr(self, word)) for word in ("kept", "new", "dropped", "reshaped")}
        return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing"


def load_optimizer_state(optimizer: Optimizer, state: Mapping[str, Any]) -> Restored:
    """Load what `optimizer.state_dict()` gave, parameter by parameter, by name.

    Moments follow their parameters when groups were split, merged, reordered or renamed. Options
    (lr, ...) stay as the optimizer has them now. Tensors are cast and moved as torch's own
    `load_state_dict` does. Raises ValueError where either side has no names.
    """
    saved = _saved(state)
    groups = optimizer.state_dict()["param_groups"]
    tensors = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    numbers = [number for group in groups for number in group["params"]]
    names = [name for group in groups for name in _names(group, "the optimizer")]
    values: dict[int, Any] = {}
    kept, new, reshaped = [], [], []
    for name, number, tensor in zip(names, numbers, tensors, strict=True):
        if name not in saved:
            new.append(name)
        elif not all(_fits(value, tensor) for value in saved[name].values()):
            reshaped.append(name)
        else:
            values[number] = saved[name]
            kept.append(name)
    optimizer.load_state_dict({"state": values, "param_groups": groups})
    dropped = tuple(name for name in saved if name not in set(names))
    return Restored(tuple(kept), tuple(new), dropped, tuple(reshaped))


def _saved(state: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The saved state by name, wrapper prefixes taken off; only parameters that have any."""
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    names = [n for group in state["param_groups"] for n in _names(group, "the saved state")]
    prefix = wrapping_prefix(names)
    return {
        name.removeprefix(prefix): state["state"][number]
        for name, number in zip(names, numbers, strict=True)
        if number in state["state"]
    }


def _names(group: Mapping[str, Any], whose: str) -> list[str]:
    if "param_names" not in group:
        raise ValueError(
            f"{whose} has no names of parameters, so nothing can be found by name: build optimizers"
            " with grouper, or from `named_parameters()` under torch 2.6 or later"
        )
    return list(group["param_names"])


def _fits(value: Any, tensor: Tensor) -> bool:
    """Whether a piece of state can belong to a tensor: as large, or less in some dimensions
    (the factored moments of Adafactor), or not of its dimensions at all (counters)."""
    shape = getattr(value, "shape", ())
    if not shape or len(shape) != tensor.ndim:
        return True
    return all(size in (1, due) for size, due in zip(shape, tensor.shape, strict=True))
