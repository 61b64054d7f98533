"""The options that an optimizer takes: for torch's from a table, for others from their class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from grouper.options.values import Value, with_tuples
from grouper.text.dataclass import dataclass

TABLE = Path(__file__).with_name("optimizers.json")


@dataclass(frozen=True)
class Signature:
    """The options of an optimizer class.

    `constructor` are its arguments; `defaults` are the values of the optional ones. `group` are the
    options that its step reads from a parameter group, None if unknown. `open` says that the
    constructor takes `**kwargs`. `known` is the name of a class of torch.optim, whose option values
    can be checked.
    """

    constructor: tuple[str, ...]
    defaults: Mapping[str, Value]
    group: tuple[str, ...] | None = None
    open: bool = False
    known: str | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """All options of the optimizer, in its constructor or in its groups."""
        return tuple(dict.fromkeys((*self.constructor, *(self.group or ()))))


def torch_signatures() -> Mapping[str, Signature]:
    """The signatures of the classes of torch.optim, from the table."""
    return _table()


def signature(name: str) -> Signature | None:
    """The signature of `SGD` or `torch.optim:SGD`; None for a class that is not in the table."""
    module, _, cls = name.rpartition(":")
    ours = not module or module == "torch.optim" or module.startswith("torch.optim.")
    return _table().get(cls) if ours else None


def signature_of(cls: Any) -> Signature | None:
    """The signature of a class; None if it cannot be determined."""
    import inspect

    try:
        _, *parameters = inspect.signature(cls).parameters.values()  # the first is `params`
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
    """The default momentum or betas of a torch optimizer. A momentum of 0 is left out: there is
    nothing to warm up."""
    known = signature(name)
    defaults = known.defaults if known else {}
    return {key: defaults[key] for key in ("momentum", "betas") if defaults.get(key)}


@cache
def _table() -> Mapping[str, Signature]:
    recorded: dict[str, dict[str, Any]] = json.loads(TABLE.read_text("utf-8"))
    return {
        name: Signature(
            tuple(entry["constructor"]),
            {key: with_tuples(value) for key, value in entry["constructor"].items()},
            tuple(entry["group"]),
            known=name,
        )
        for name, entry in recorded.items()
    }
