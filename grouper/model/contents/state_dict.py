"""Plain state dicts: tensors by name, without classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grouper.model.errors import over_limit
from grouper.model.inventory import Inventory, Parameter
from grouper.model.name_limits import Names
from grouper.model.pickle.mappings import mapping
from grouper.model.pickle.tensors import Tensor, tensor
from grouper.model.wrappers import wrapping_prefix

if TYPE_CHECKING:
    from grouper.model.contents.buffers import Reason

MAX_TENSORS = 200_000
_OF_AVERAGES = "n_averaged"  # what torch's AveragedModel has beside its `module.`
_REASONS: dict[Reason, str] = {
    "dtype": "by their dtype",
    "name": "by their names",
    "neighbours": "by the tensors beside them",
    "frozen norm": "of norms without `num_batches_tracked`, as frozen ones are",
    "router": "that correct routers, which some models have as frozen parameters",
}


def tensors_of(value: Any) -> list[tuple[str, Tensor, Any]]:
    """The tensors of a dict by name, each with the value that it came from."""
    pairs = mapping(value) or ()
    if len(pairs) > MAX_TENSORS:
        raise over_limit(f"it has more than {MAX_TENSORS:,} names")
    return [(name, found, item) for name, item in pairs if (found := tensor(item)) is not None]


def inventory_of(value: Any) -> Inventory:
    """The inventory of a state dict."""
    return inventory_from(tensors_of(value))


def inventory_from(found: list[tuple[str, Tensor, Any]]) -> Inventory:
    """The inventory of tensors by name, as `tensors_of` gives them.

    Equal storages, and tensors that came from one value, are one parameter.
    """
    from grouper.model.contents import buffers, norm_layers

    Names().count(name for name, _, _ in found)
    prefix = wrapping_prefix(name for name, _, _ in found if name != _OF_AVERAGES)
    named = [(name.removeprefix(prefix), facts) for name, facts, _ in found]
    siblings = buffers.siblings(named)
    told = buffers.told(named, siblings)
    taken, unsure = told.buffers, told.unsure
    tied: dict[object, tuple[Tensor, list[str], list[str]]] = {}
    for (name, facts), (stored, _, item) in zip(named, found, strict=True):
        if name not in taken:
            _, names, all_stored = tied.setdefault(facts.storage or id(item), (facts, [], []))
            names.append(name)
            all_stored.append(stored)
    parameters = tuple(
        Parameter(
            tuple(names),
            facts.shape,
            facts.dtype,
            facts.trains if facts.is_parameter else None,
            stored[0],
            not facts.is_parameter,
            bool(unsure) and not unsure.isdisjoint(names),
        )
        for facts, names, stored in tied.values()
    )
    modules = norm_layers.proven(siblings)
    return Inventory(
        parameters,
        modules,
        kind="state dict",
        buffers=tuple(taken),
        remarks=_remarks(taken, [m.cls for m in (modules or {}).values()].count(norm_layers.CLASS)),
    )


def is_buffer(name: str, facts: Tensor) -> bool:
    """Whether a tensor is no parameter, as far as its name and dtype can tell."""
    from grouper.model.contents import buffers

    return name in buffers.inferred([(name, facts)])


def _remarks(taken: Mapping[str, Reason], proven: int) -> tuple[str, ...]:
    said = "a state dict cannot distinguish parameters from buffers"
    if taken:
        counts = Counter(taken.values())
        why = ", ".join(f"{counts[r]} {words}" for r, words in _REASONS.items() if counts[r])
        said += f"; {len(taken)} tensors are treated as buffers: {why}"
    norms_are = "1 module is a norm" if proven == 1 else f"{proven} modules are norms"
    return (said, f"{norms_are}, as running statistics prove") if proven else (said,)
