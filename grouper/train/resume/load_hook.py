"""Makes an optimizer's own `load_state_dict` go by the names of parameters.

Trainers load states themselves. torch calls the hook before it loads, and loads what it returns.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from grouper.text.dataclass import replace
from grouper.text.findings import GroupingWarning
from grouper.text.printable import visible
from grouper.train.resume.optimizer_state import (
    MatchedState,
    match_state,
    numbered_groups,
)
from grouper.train.resume.restored import Restored
from grouper.train.resume.saved_state import names_of

Groups = Sequence[Mapping[str, Any]]

# What torch's own schedulers move, and the key under which they keep where they began.
BEGAN_AT = {"lr": "initial_lr", "momentum": "max_momentum", "betas": "max_momentum"}
NOT_STATE = {"params", "param_names", "name", "decoupled_weight_decay", *BEGAN_AT.values()}


def load_by_name(optimizer: Optimizer, of_rules: Iterable[str]) -> None:
    """From now on `optimizer.load_state_dict` finds each parameter's state by name.

    `of_rules` are the keys that rules set in groups: they stay as they are now, as everything that
    the class's constructor takes does. A state without names is loaded by position, as by torch.
    """
    optimizer.register_load_state_dict_pre_hook(partial(_by_name, of_rules=frozenset(of_rules)))


def _by_name(
    optimizer: Optimizer, saved: dict[str, Any], *, of_rules: frozenset[str]
) -> dict[str, Any] | None:
    """The saved state dict in the optimizer's own layout; None where there are no names."""
    if not (_has_names(optimizer.param_groups) and _has_names(saved.get("param_groups"))):
        return None
    matched = match_state(optimizer, saved)
    groups, unsure = _Options(matched, saved["param_groups"], optimizer, of_rules).merged()
    _warn(_told(matched), unsure)
    return {**saved, "state": dict(matched.values), "param_groups": groups}


class _Options:
    """The options to load: those that the rules set stay, and those that a run has moved go on."""

    def __init__(
        self,
        matched: MatchedState,
        saved: Groups,
        optimizer: Optimizer,
        of_rules: frozenset[str],
    ) -> None:
        self._source = matched.source
        self._optimizer = optimizer
        self._of_rules = of_rules
        self._saved_group = {name: g for g in saved for name in names_of(g)}

    def merged(self) -> tuple[list[dict[str, Any]], list[str]]:
        """The groups to load, and sentences about rates of which it is not sure who set them."""
        groups, unsure = [], []
        numbered = numbered_groups(self._optimizer)
        for live, packed in zip(self._optimizer.param_groups, numbered, strict=True):
            sources = self._sources(live)
            moved = {key: _agreed(key, sources) for key in _keys(sources)}
            group = dict(packed)
            for key, value in moved.items():
                if value is not _NONE and self._is_of_the_run(key, packed, moved, live):
                    group[key] = value
            if _differs(group.get("lr"), packed.get("lr")) and "initial_lr" not in moved:
                name = visible(str(group.get("name")))
                unsure.append(
                    f"  lr of `{name}`: {float(group['lr']):g} as saved, and"
                    f" {float(packed['lr']):g} in the rules (to have theirs:"
                    " `grouper.load_optimizer_state(optimizer, state)`)"
                )
            groups.append(group)
        return groups, unsure

    def _sources(self, packed: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The saved groups in which the parameters of a group were, each once."""
        names = (self._source.get(name) for name in names_of(packed))
        found = [self._saved_group[name] for name in names if name is not None]
        return list({id(group): group for group in found}.values())

    def _is_of_the_run(
        self,
        key: str,
        own: Mapping[str, Any],
        saved: Mapping[str, Any],
        live: Mapping[str, Any],
    ) -> bool:
        """Whether the run wrote a value, so that the saved one goes on, and not the rules.

        An lr goes on where the rules' own is what it was. Where nothing says what it was, no
        scheduler of torch ran: then something else may have lowered it, such as a plateau.
        """
        if key in BEGAN_AT and key in own:
            began = BEGAN_AT[key]
            if key != "lr":
                return began in own and not _differs(own[began], saved.get(began, _NONE))
            if began in saved:
                return not _differs(own.get(began, own["lr"]), saved[began])
            return began not in own
        member = _member(self._optimizer, live)
        options = inspect.signature(type(member).__init__).parameters
        return key not in NOT_STATE and key not in options and key not in self._of_rules


_NONE = object()


def _keys(sources: Groups) -> list[str]:
    return list(dict.fromkeys(key for group in sources for key in group))


def _agreed(key: str, sources: Groups) -> Any:
    """The value that all of the groups have, or `_NONE`."""
    values = [group.get(key, _NONE) for group in sources]
    return values[0] if not any(_differs(values[0], value) for value in values[1:]) else _NONE


def _differs(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        numbers = all((isinstance(v, Tensor) and v.numel() == 1) or _is_number(v) for v in (a, b))
        return a is not b and not (numbers and float(a) == float(b))
    return a is not b and bool(a != b)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _member(optimizer: Optimizer, group: Mapping[str, Any]) -> Optimizer:
    members: Mapping[str, Optimizer] = getattr(optimizer, "members", {})
    holds = (m for m in members.values() if any(group is each for each in m.param_groups))
    return next(holds, optimizer)


def _has_names(groups: Groups | None) -> bool:
    try:
        return groups is not None and all(isinstance(names_of(g), list) for g in groups)
    except ValueError:
        return False


def _told(matched: MatchedState) -> Restored:
    """The warning about what was not kept: a parameter without a saved state lost none."""
    restored = matched.restored
    new = tuple(name for name in restored.new if name not in matched.stateless)
    return replace(restored, new=new)


def _warn(restored: Restored, unsure: list[str]) -> None:
    lost = restored.new or restored.dropped or restored.reshaped or restored.incompatible
    if lost or unsure:
        head = str(restored) if lost else "optimizer state by name: all kept"
        warnings.warn("\n".join([head, *unsure]), GroupingWarning, stacklevel=4)
