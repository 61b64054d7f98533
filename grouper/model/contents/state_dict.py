"""Plain state dicts: tensors by name, without classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grouper.model.errors import over_limit
from grouper.model.inventory import Inventory, Parameter
from grouper.model.name_limits import MAX_CHARACTERS, Names
from grouper.model.pickle.mappings import mapping
from grouper.model.pickle.tensors import Tensor, tensor
from grouper.model.wrappers import wrapping_prefix

if TYPE_CHECKING:
    from grouper.model.contents.buffers import Reason

MAX_TENSORS = 200_000
_OF_AVERAGES = "n_averaged"  # a buffer of torch's AveragedModel, beside its `module.`
_REASONS: dict[Reason, str] = {
    "dtype": "by dtype",
    "name": "by name",
    "neighbours": "by neighbouring tensors",
    "frozen norm": "in norms without `num_batches_tracked`, like frozen norms",
    "router": "that correct routers and are frozen parameters in some models",
}


def tensors_of(value: Any) -> list[tuple[str, Tensor, Any]]:
    """The tensors of a dict by name, each with the value it came from."""
    pairs = mapping(value) or ()
    if len(pairs) > MAX_TENSORS:
        raise over_limit(f"it has more than {MAX_TENSORS:,} names")
    return [(name, facts, item) for name, item in pairs if (facts := tensor(item)) is not None]


def inventory_of(value: Any) -> Inventory:
    """The inventory of a state dict."""
    return inventory_from(tensors_of(value))


def inventory_from(tensors: list[tuple[str, Tensor, Any]], most: int = MAX_CHARACTERS) -> Inventory:
    """The inventory of tensors by name, in the form of `tensors_of`.

    Tensors with equal storages, or from the same value, are one parameter. Raises ModelError if
    their names have more than `most` characters together.
    """
    from grouper.model.contents import buffers, norm_layers

    Names(most).count(name for name, _, _ in tensors)
    prefix = wrapping_prefix(name for name, _, _ in tensors if name != _OF_AVERAGES)
    named = [(name.removeprefix(prefix), facts) for name, facts, _ in tensors]
    siblings = buffers.siblings(named)
    inferred = buffers.infer_buffers(named, siblings)
    unsure = inferred.unsure
    first: dict[object, tuple[str, str, Tensor]] = {}
    others: dict[object, list[str]] = {}  # of tied ones; most models have few
    for (name, facts), (stored, _, item) in zip(named, tensors, strict=True):
        if name not in inferred.buffers:
            key = facts.storage or id(item)
            if key in first:
                others.setdefault(key, []).append(name)
            else:
                first[key] = name, stored, facts
    parameters = tuple(
        Parameter(
            names := (name, *others.get(key, ())),
            facts.shape,
            facts.dtype,
            facts.trains if facts.is_parameter else None,
            stored,
            not facts.is_parameter,
            bool(unsure) and not unsure.isdisjoint(names),
        )
        for key, (name, stored, facts) in first.items()
    )
    modules = norm_layers.proven(siblings, most)
    norms = [m.cls for m in (modules or {}).values()].count(norm_layers.CLASS)
    return Inventory(
        parameters,
        modules,
        kind="state dict",
        buffers=tuple(inferred.buffers),
        remarks=_remarks(inferred.buffers, norms),
    )


def is_buffer(name: str, facts: Tensor) -> bool:
    """Whether a tensor is a buffer, judging by its name and dtype."""
    from grouper.model.contents import buffers

    return name in buffers.inferred([(name, facts)])


def _remarks(buffers: Mapping[str, Reason], norms: int) -> tuple[str, ...]:
    remark = "a state dict cannot distinguish parameters from buffers"
    if buffers:
        counts = Counter(buffers.values())
        why = ", ".join(f"{counts[r]} {words}" for r, words in _REASONS.items() if counts[r])
        remark += f"; {len(buffers)} tensors treated as buffers: {why}"
    norms_are = "1 module is a norm" if norms == 1 else f"{norms} modules are norms"
    return (remark, f"{norms_are}, judging by running statistics") if norms else (remark,)
