"""What was saved of an optimizer, by the names of its parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from grouper.text.arguments import in_words, wrong_type
from grouper.text.dataclass import dataclass
from grouper.text.printable import quoted_list, visible

State = Mapping[str, Any]

EXPECTED = "what `optimizer.state_dict()` returned, or the folder of a checkpoint of it"
NOT_A_STATE = "this is not the state of an optimizer"
MOST_KEYS = 5  # in a message


@dataclass(frozen=True)
class SavedState:
    """The `names` of all saved parameters, in order, and the `states` of those that have one."""

    names: tuple[str, ...]
    states: Mapping[str, State]


def saved_state(state: object) -> SavedState:
    """What `optimizer.state_dict()` or torch's `get_optimizer_state_dict` returned, by name.

    Raises TypeError where it is no mapping, and ValueError where it is another one, where it is
    damaged, and where it has no names of parameters.
    """
    if not isinstance(state, Mapping):
        whole = hasattr(state, "param_groups") and hasattr(state, "state_dict")
        raise wrong_type("state", state, EXPECTED, "call its `state_dict()`" if whole else "")
    if "param_groups" not in state or "state" not in state:
        keys = quoted_list([visible(str(key)) for key in list(state)[:MOST_KEYS]])
        raise ValueError(
            f"{NOT_A_STATE} (its keys: {keys or 'none'}): pass what `optimizer.state_dict()`"
            " returned, such as `checkpoint['optimizer']`"
        )
    groups, values = state["param_groups"], state["state"]
    if not isinstance(groups, Sequence) or isinstance(groups, str):
        raise _damaged("`param_groups`", "a list of dicts", groups)
    if not isinstance(values, Mapping):
        raise _damaged("`state`", "a dict", values)
    ids, names = _ids_and_names(groups)
    _refuse_other_ids(values, ids)
    return SavedState(tuple(names), _states(values, dict(zip(ids, names, strict=True))))


def names_of(group: Mapping[str, Any], whose: str = "the group") -> list[str]:
    """The names of a group's parameters. Raises ValueError where it has none."""
    params = list(group["params"])
    if params and all(isinstance(name, str) for name in params):
        return params  # like torch.distributed.checkpoint, whose `param_names` may be of old groups
    if "param_names" in group and len(group["param_names"]) == len(params):
        return list(group["param_names"])
    if not params:
        return []
    raise ValueError(
        f"{whose} has no names of parameters, so it cannot be matched by name: build the"
        " optimizer with grouper, or from `named_parameters()` under torch 2.6 or later"
    )


def refuse_repeated(names: Sequence[str], whose: str) -> None:
    """Raises ValueError where parameters share a name."""
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise ValueError(
            f"{whose} has several parameters `{visible(twice)}`, so they cannot be told apart by"
            " name: load each model's state into an optimizer of its own"
        )


def _ids_and_names(groups: Sequence[object]) -> tuple[list[int | str], list[str]]:
    ids: list[int | str] = []
    names: list[str] = []
    for index, group in enumerate(groups):
        where = f"`param_groups[{index}]`"
        if not isinstance(group, Mapping):
            raise _damaged(where, "a dict", group)
        own = _listed(group.get("params"), f"{where} has `params`, which", (int, str))
        _listed(group.get("param_names", []), f"{where} has `param_names`, which", (str,))
        listed = names_of(group, "the saved state")
        if len(own) != len(listed):
            raise ValueError(
                f"{NOT_A_STATE}: {where} has {len(own)} `params` and {len(listed)} `param_names`"
            )
        ids += own
        names += listed
    if len(set(ids)) < len(ids):
        twice = Counter(ids).most_common(1)[0][0]
        raise ValueError(
            f"{NOT_A_STATE}: the parameter {in_words(twice)} is in its `param_groups` twice"
        )
    refuse_repeated(names, "the saved state")
    return ids, names


def _listed(value: object, what: str, types: tuple[type, ...]) -> list[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _damaged(what, "a list", value)
    for each in value:
        if not isinstance(each, types) or isinstance(each, bool):
            kinds = " or ".join({int: "numbers", str: "names"}[kind] for kind in types)
            raise _damaged(what, f"a list of {kinds}", each, "has")
    return list(value)


def _refuse_other_ids(values: Mapping[Any, Any], ids: Sequence[int | str]) -> None:
    """State under ids of no group would be lost without a word: JSON, for one, makes numbers text.

    Optimizers may keep something for all parameters there, under a name of their own.
    """
    known = set(ids)
    others = [key for key in values if key not in known]
    foreign = [key for key in others if isinstance(values[key], Mapping) or str(key).isdecimal()]
    if foreign:
        listed = quoted_list([visible(repr(key)) for key in foreign[:MOST_KEYS]])
        raise ValueError(
            f"{NOT_A_STATE}: `state` has entries for {listed}, which none of its `param_groups`"
            " lists (JSON makes text of their numbers: save with `torch.save`)"
        )


def _states(values: Mapping[Any, Any], names: Mapping[int | str, str]) -> dict[str, State]:
    states = {}
    for key, name in names.items():
        own = values.get(key, {})
        if not isinstance(own, Mapping):
            raise _damaged(f"the state of `{visible(name)}`", "a dict", own)
        if any(value is not None for value in own.values()):
            states[name] = own
    return states


def _damaged(what: str, expected: str, value: object, verb: str = "is") -> ValueError:
    return ValueError(f"{NOT_A_STATE}: {what} must be {expected}, and {verb} {in_words(value)}")
