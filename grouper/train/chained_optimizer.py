"""Several optimizers as one: what a training loop, a scaler and a scheduler see."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch.optim import Optimizer

Groups = list[dict[str, Any]]


class ChainedOptimizer(Optimizer):
    """Optimizers, by name, that step, zero, save and load together.

    `param_groups` are the members' own dictionaries, in the order of `order` (their names), so
    whoever writes an lr writes it where the member reads it. `state` is read and written where it
    is, too. `defaults` are those in which all members agree. `state_dict` is laid out as that of
    one optimizer. Hooks belong to the whole; a member's own run as well when it steps.
    """

    def __init__(self, members: Mapping[str, Optimizer], order: Sequence[str]) -> None:
        self.members = dict(members)
        self._rank: dict[str | None, int] = {name: index for index, name in enumerate(order)}
        self._asking = [name for name, member in self.members.items() if _asks(member)]
        self._built = False
        super().__init__(self._groups(), _agreed([m.defaults for m in self.members.values()]))
        self._built = True

    @property
    def state(self) -> Any:
        """The state of every parameter, in whichever member holds it."""
        return _State(self.members)

    @state.setter
    def state(self, value: Mapping[Any, Any]) -> None:
        # torch assigns an empty one when it builds an optimizer; the members have theirs by then.
        if self.__dict__.get("_built"):
            kept = dict(value)
            self.state.clear()
            self.state.update(kept)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step all members on one gradient: the closure is called once, before.

        Those that cannot step without it (LBFGS) step last and call it themselves. Raises TypeError
        where such a member is given none.
        """
        if self._asking and closure is None:
            raise TypeError(f"the optimizer `{self._asking[0]}` needs a closure: `step(closure)`")
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for name, member in self.members.items():
            if name not in self._asking:
                member.step()
        for name in self._asking:
            self.members[name].step(closure)
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
        params = group["params"]
        group["params"] = [params] if isinstance(params, torch.Tensor) else list(params)
        tensors = [item[1] if isinstance(item, tuple) else item for item in group["params"]]
        present = {id(tensor) for known in self.param_groups for tensor in known["params"]}
        if any(id(tensor) in present for tensor in tensors):
            raise ValueError("some parameters appear in more than one parameter group")
        self.members[name].add_param_group(group)
        self.param_groups.append(self.members[name].param_groups[-1])

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Give each member its part, found by the names of its groups.

        Raises ValueError where groups are missing or of another size; nothing is loaded then.
        """
        loaded = dict(state_dict)
        for before in self._optimizer_load_state_dict_pre_hooks.values():
            changed = before(self, loaded)
            loaded = loaded if changed is None else changed
        saved = _by_name(self.param_groups, loaded["param_groups"])
        parts = {name: _part(member, saved, loaded) for name, member in self.members.items()}
        for name, member in self.members.items():
            member.load_state_dict(parts[name])
        self.param_groups = self._groups()
        for after in self._optimizer_load_state_dict_post_hooks.values():
            after(self)

    def __getstate__(self) -> dict[str, Any]:
        return {key: vars(self)[key] for key in ("members", "_rank", "_asking", "defaults")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "_built": True})
        self.param_groups = self._groups()

    def __repr__(self) -> str:
        members = (f"{name}: {member!r}" for name, member in self.members.items())
        lines = chain.from_iterable(member.splitlines() for member in members)
        return "\n".join(["Optimizers (", *(f"    {line}" for line in lines), ")"])

    def _groups(self) -> Groups:
        groups = [g for member in self.members.values() for g in member.param_groups]
        return sorted(groups, key=lambda group: self._rank.get(group.get("name"), len(self._rank)))


class _State(MutableMapping[Any, Any]):
    """The members' states as one: like torch's, it has an empty state for what is asked first."""

    def __init__(self, members: Mapping[str, Optimizer]) -> None:
        self._members = list(members.values())

    def __getitem__(self, key: Hashable) -> Any:
        return self._home(key)[key]

    def __setitem__(self, key: Hashable, value: Any) -> None:
        self._home(key)[key] = value

    def __delitem__(self, key: Hashable) -> None:
        del self._home(key)[key]

    def __contains__(self, key: object) -> bool:
        return any(key in member.state for member in self._members)

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(list(member.state) for member in self._members)

    def __len__(self) -> int:
        return sum(len(member.state) for member in self._members)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _home(self, key: Any) -> Any:
        """The state of the member that has the key, or trains the parameter, or comes first."""
        for member in self._members:
            if key in member.state:
                return member.state
        for member in self._members:
            if any(key is tensor for group in member.param_groups for tensor in group["params"]):
                return member.state
        return self._members[0].state


def _agreed(defaults: list[dict[str, Any]]) -> dict[str, Any]:
    first, *others = defaults
    return {
        key: value
        for key, value in first.items()
        if all(key in other and _equal(other[key], value) for other in others)
    }


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, torch.Tensor) or isinstance(right, torch.Tensor):
        return left is right
    return type(left) is type(right) and bool(left == right)


def _asks(member: Optimizer) -> bool:
    """Whether a member cannot step without a closure."""
    closure = inspect.signature(type(member).step).parameters.get("closure")
    return closure is not None and closure.default is closure.empty


def _by_name(present: Groups, saved: Groups) -> dict[str | None, dict[str, Any]]:
    """The saved groups by name. Raises ValueError where they are not those that are there."""
    found = {group.get("name"): group for group in saved}
    for group in present:
        name = group.get("name")
        if name not in found:
            raise ValueError(f"the saved state has no group `{name}`")
        if len(found[name]["params"]) != len(group["params"]):
            raise ValueError(
                f"the group `{name}` has {len(group['params'])} parameters, and had"
                f" {len(found[name]['params'])} when it was saved: `grouper.load_optimizer_state`"
                " finds them by their names"
            )
    if len(saved) != len(present):
        strange = set(found) - {group.get("name") for group in present}
        raise ValueError(f"the saved state has a group that there is not: {strange}")
    return found


def _part(
    member: Optimizer, saved: Mapping[str | None, dict[str, Any]], whole: Mapping[str, Any]
) -> dict[str, Any]:
    groups = [saved[group.get("name")] for group in member.param_groups]
    numbers = {number for group in groups for number in group["params"]}
    state = {number: value for number, value in whole["state"].items() if number in numbers}
    return {"state": state, "param_groups": groups}
