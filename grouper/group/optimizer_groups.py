"""The groups of an existing optimizer: options, and names of parameters."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.model.contents.saved_groups import SavedTensor
from grouper.options.values import Value
from grouper.text.dataclass import dataclass, field


@dataclass(frozen=True)
class OptimizerGroup:
    """One group: its options as the optimizer has them, and the names of its parameters in order.

    A name is the first that the model has for the parameter, wrappers taken off; a parameter that
    the group lists twice is there twice. `strays` are its tensors that the model does not have.
    The options include the group's own `name` and a scheduler's `initial_lr`, where it has them,
    and no key whose value no rules file could have.
    """

    options: Mapping[str, Value]
    parameters: tuple[str, ...]
    strays: tuple[SavedTensor, ...] = ()


@dataclass(frozen=True)
class OptimizerGroups:
    """All groups of an optimizer, in order.

    `named` is True where the names are the optimizer's own or its tensors are the model's, False
    where they were found by the order and the shapes of parameters. `optimizer` is the name of its
    class (`AdamW`, `package.module:Class` where it is not torch's), None where a checkpoint does
    not say it. `defaults` are those with which a live one was constructed. `guessed` says that
    there are several groups and no shapes, as before the first step: only their sizes fit.
    """

    groups: tuple[OptimizerGroup, ...]
    named: bool = True
    optimizer: str | None = None
    defaults: Mapping[str, Value] = field(default_factory=dict)
    guessed: bool = False
