"""Several optimizers as one: what a training loop, a scaler and a scheduler see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

Groups = list[dict[str, Any]]


class Optimizers(Optimizer):
    """Optimizers, by name, that step, zero, save and load together.

    `param_groups` are the members' own dictionaries, in the order of `order` (their names), so
    whoever writes an lr writes it where the member reads it. `state_dict` is laid out as that of
    one optimizer.
    """

    def __init__(self, members: Mapping[str, Optimizer], order: Sequence[str]) -> None:
        self.members = dict(members)
        self._rank = {name: index for index, name in enumerate(order)}
        self._built = False
        super().__init__(self._groups(), {})
        self._built = True

    @property
    def state(self) -> Any:
        """The state of every parameter, whichever member holds it."""
        merged: defaultdict[Tensor, Any] = defaultdict(dict)
        for member in self.members.values():
            merged.update(member.state)
        return merged

    @state.setter
    def state(self, value: Any) -> None:
        """The members keep the state; torch assigns an empty one when it builds an optimizer."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for member in self.members.values():
            member.step()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        for member in self.members.values():
            member.zero_grad(set_to_none)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the member that its `optimizer` names, or to the first."""
        if not self._built:
            super().add_param_group(param_group)
            return
        group = dict(param_group)
        name = group.pop("optimizer", next(iter(self.members)))
        if name not in self.members:
            raise ValueError(f"there is no optimizer `{name}` among {', '.join(self.members)}")
        self.members[name].add_param_group(group)
        self.param_groups.append(self.members[name].param_groups[-1])

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Give each member its part, found by the names of its groups."""
        saved = {group["name"]: group for group in state_dict["param_groups"]}
        for member in self.members.values():
            names = [group["name"] for group in member.param_groups]
            missing = [name for name in names if name not in saved]
            if missing:
                raise ValueError(f"the saved state has no group `{missing[0]}`")
            groups = [saved[name] for name in names]
            numbers = [number for group in groups for number in group["params"]]
            state = {n: state_dict["state"][n] for n in numbers if n in state_dict["state"]}
            member.load_state_dict({"state": state, "param_groups": groups})
        self.param_groups = self._groups()

    def _groups(self) -> Groups:
        groups = [g for member in self.members.values() for g in member.param_groups]
        return sorted(groups, key=lambda group: self._rank.get(group["name"], len(self._rank)))
