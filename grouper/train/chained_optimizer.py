"""Several optimizers behind the interface of one, for training loops, scalers and schedulers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch.optim import Optimizer

from grouper.text.arguments import require, wrong_type
from grouper.text.printable import quoted_list

Groups = list[dict[str, Any]]


class ChainedOptimizer(Optimizer):
    """Optimizers, by name, that step, zero gradients, save and load together.

    `param_groups` are the members' own dictionaries in the order of `order` (names of groups), so
    that an lr written here is read by the member. `state` reads and writes the members' states.
    `defaults` are those that all members have in common. `state_dict` has the layout of a single
    optimizer's. Hooks registered here run once for all members; a member's own hooks run as well.
    """

    def __init__(self, members: Mapping[str, Optimizer], order: Sequence[str]) -> None:
        self.members = dict(members)
        self._order: dict[str | None, int] = {name: index for index, name in enumerate(order)}
        self._closure_members = [n for n, m in self.members.items() if _needs_closure(m)]
        self._built = False
        defaults = _common_defaults([member.defaults for member in self.members.values()])
        super().__init__(self._groups(), defaults)
        self._built = True

    @property
    def state(self) -> Any:
        """The state of every parameter: a mapping onto the states of the members."""
        return _State(self.members)

    @state.setter
    def state(self, value: Mapping[Any, Any]) -> None:
        # torch assigns an empty one when it builds an optimizer; the members have theirs by then.
        if self.__dict__.get("_built"):
            states = dict(value)
            self.state.clear()
            self.state.update(states)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Call the closure once, where there is one, then step all members; returns its loss.

        Members that need a closure (LBFGS) step last and call it again. Raises TypeError where
        there is such a member and no closure.
        """
        if closure is not None and not callable(closure):
            raise wrong_type("closure", closure, "a function that computes the loss, or None")
        if self._closure_members and closure is None:
            raise TypeError(
                f"the optimizer `{self._closure_members[0]}` needs a closure: `step(closure)`"
            )
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for name, member in self.members.items():
            if name not in self._closure_members:
                member.step()
        for name in self._closure_members:
            self.members[name].step(closure)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        for member in self.members.values():
            member.zero_grad(set_to_none)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the member that its key `optimizer` names, or to the first.

        Raises ValueError where there is no such member, or a parameter is in a group already.
        """
        if not self._built:
            super().add_param_group(param_group)
            return
        require("param_group", param_group, dict, "a dict with `params`")
        if "params" not in param_group:
            raise ValueError("the dict `param_group` has no `params`: give it the parameters")
        group = dict(param_group)
        name = group.pop("optimizer", next(iter(self.members)))
        if name not in self.members:
            raise ValueError(
                f"there is no optimizer `{name}`: there are {quoted_list(self.members)}"
            )
        params = group["params"]
        group["params"] = [params] if isinstance(params, torch.Tensor) else list(params)
        tensors = [item[1] if isinstance(item, tuple) else item for item in group["params"]]
        present = {id(tensor) for known in self.param_groups for tensor in known["params"]}
        if any(id(tensor) in present for tensor in tensors):
            raise ValueError("some parameters appear in more than one parameter group")
        self.members[name].add_param_group(group)
        self.param_groups.append(self.members[name].param_groups[-1])

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load into each member the saved groups that have the names of its own.

        Raises ValueError, and loads nothing, where groups are missing or of another size.
        """
        require("state_dict", state_dict, Mapping, "what `state_dict()` returned")
        loaded = dict(state_dict)
        for before in self._optimizer_load_state_dict_pre_hooks.values():
            changed = before(self, loaded)
            loaded = loaded if changed is None else changed
        if not {"state", "param_groups"} <= loaded.keys():
            raise ValueError(
                "this `state_dict` is not an optimizer's: it needs `state` and `param_groups`"
            )
        saved = _by_name(self.param_groups, loaded["param_groups"])
        parts = {
            name: _state_dict_of(member, saved, loaded) for name, member in self.members.items()
        }
        for name, member in self.members.items():
            member.load_state_dict(parts[name])
        self.param_groups = self._groups()
        for after in self._optimizer_load_state_dict_post_hooks.values():
            after(self)

    def __getstate__(self) -> dict[str, Any]:
        return {
            key: vars(self)[key] for key in ("members", "_order", "_closure_members", "defaults")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "_built": True})
        self.param_groups = self._groups()

    def __repr__(self) -> str:
        members = (f"{name}: {member!r}" for name, member in self.members.items())
        lines = chain.from_iterable(member.splitlines() for member in members)
        return "\n".join(["ChainedOptimizer (", *(f"    {line}" for line in lines), ")"])

    def _groups(self) -> Groups:
        groups = [g for member in self.members.values() for g in member.param_groups]
        return sorted(
            groups, key=lambda group: self._order.get(group.get("name"), len(self._order))
        )


class _State(MutableMapping[Any, Any]):
    """The states of all members as one mapping; like torch's, it creates an empty state for a
    missing key.
    """

    def __init__(self, members: Mapping[str, Optimizer]) -> None:
        self._members = list(members.values())

    def __getitem__(self, key: Hashable) -> Any:
        return self._state_of(key)[key]

    def __setitem__(self, key: Hashable, value: Any) -> None:
        self._state_of(key)[key] = value

    def __delitem__(self, key: Hashable) -> None:
        del self._state_of(key)[key]

    def __contains__(self, key: object) -> bool:
        return any(key in member.state for member in self._members)

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(list(member.state) for member in self._members)

    def __len__(self) -> int:
        return sum(len(member.state) for member in self._members)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _state_of(self, key: Any) -> Any:
        """The state of the member that has the key, else of the one that has the parameter, else of
        the first.
        """
        for member in self._members:
            if key in member.state:
                return member.state
        for member in self._members:
            if any(key is tensor for group in member.param_groups for tensor in group["params"]):
                return member.state
        return self._members[0].state


def _common_defaults(defaults: list[dict[str, Any]]) -> dict[str, Any]:
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


def _needs_closure(member: Optimizer) -> bool:
    """Whether `step` has no default for its closure."""
    closure = inspect.signature(type(member).step).parameters.get("closure")
    return closure is not None and closure.default is closure.empty


def _by_name(present: Groups, saved: Groups) -> dict[str | None, dict[str, Any]]:
    """The saved groups by name. Raises ValueError where they are not those of the optimizer."""
    by_name = {group.get("name"): group for group in saved}
    for group in present:
        name = group.get("name")
        if name not in by_name:
            raise ValueError(f"the saved state has no group `{name}`")
        if len(by_name[name]["params"]) != len(group["params"]):
            raise ValueError(
                f"the group `{name}` has {len(group['params'])} parameters and had"
                f" {len(by_name[name]['params'])} when it was saved: `grouper.load_optimizer_state`"
                " loads by the names of parameters"
            )
    if len(saved) != len(present):
        extra = set(by_name) - {group.get("name") for group in present}
        listed = quoted_list(sorted(extra, key=str))
        raise ValueError(f"the saved state has a group that the optimizer does not have: {listed}")
    return by_name


def _state_dict_of(
    member: Optimizer, saved: Mapping[str | None, dict[str, Any]], whole: Mapping[str, Any]
) -> dict[str, Any]:
    """One member's part of a saved state dict."""
    groups = [saved[group.get("name")] for group in member.param_groups]
    numbers = {number for group in groups for number in group["params"]}
    state = {number: value for number, value in whole["state"].items() if number in numbers}
    return {"state": state, "param_groups": groups}
