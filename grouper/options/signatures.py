"""Which options an optimizer takes: torch's own from a recorded table, others from their class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from grouper.options.values import Value
from grouper.text.dataclass import dataclass

TABLE = Path(__file__).with_name("optimizers.json")


@dataclass(frozen=True)
class Signature:
    """What an optimizer's class takes.

    `constructor` are its arguments; `defaults` the values of those that may be left out. `group`
    are the options that its step reads from a parameter group, None where only the class knows.
    `open` says that the constructor takes any keyword. `known` is the name of a class of
    torch.optim, whose values can be judged.
    """

    constructor: tuple[str, ...]
    defaults: Mapping[str, Value]
    group: tuple[str, ...] | None = None
    open: bool = False
    known: str | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """All options that mean something to the optimizer, wherever they are given."""
        return tuple(dict.fromkeys((*self.constructor, *(self.group or ()))))


def torch_signatures() -> Mapping[str, Signature]:
    """The classes of torch.optim, as recorded."""
    return _table()


def signature(name: str) -> Signature | None:
    """The signature of `SGD` or `torch.optim:SGD`; None for what the table does not know."""
    module, _, cls = name.rpartition(":")
    ours = not module or module == "torch.optim" or module.startswith("torch.optim.")
    return _table().get(cls) if ours else None


def signature_of(cls: Any) -> Signature | None:
    """The signature of a class at hand; None where it cannot be determined."""
    import inspect

    try:
        _, *parameters = inspect.signature(cls).parameters.values()  # the first are its parameters
    except (TypeError, ValueError):
        return None
    own = str(getattr(cls, "__module__", "")).startswith("torch.optim")
    recorded = _table().get(getattr(cls, "__name__", "")) if own else None
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return Signature(
        tuple(p.name for p in named),
        {p.name: p.default for p in named if p.default is not p.empty},
        recorded.group if recorded else None,
        any(p.kind is p.VAR_KEYWORD for p in parameters),
        cls.__name__ if recorded else None,
    )


def momentum_defaults(name: str) -> Mapping[str, Value]:
    """The momentum or the betas of an optimizer of torch where nothing sets them. A momentum of 0
    is none: there is nothing to warm up."""
    known = signature(name)
    defaults = known.defaults if known else {}
    return {key: defaults[key] for key in ("momentum", "betas") if defaults.get(key)}


@cache
def _table() -> Mapping[str, Signature]:
    recorded: dict[str, dict[str, Any]] = json.loads(TABLE.read_text("utf-8"))
    return {
        name: Signature(
            tuple(entry["constructor"]),
            {key: _value(value) for key, value in entry["constructor"].items()},
            tuple(entry["group"]),
            known=name,
        )
        for name, entry in recorded.items()
    }


def _value(value: Any) -> Value:
    return tuple(map(_value, value)) if isinstance(value, list) else value
