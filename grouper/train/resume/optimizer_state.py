"""An optimizer's state carried over by the parameters' names, whatever became of its groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import LBFGS, Optimizer

from grouper.model.wrappers import bare_names
from grouper.text.fold import fold
from grouper.text.printable import visible
from grouper.train.resume.state_shapes import Shape, Shapes, StateShapes

State = Mapping[str, Any]

LISTED = 8  # patterns of each outcome in the printed text
WHOLE = "func_evals"  # the state of LBFGS, kept once for all parameters, has it


@dataclass(frozen=True)
class Restored:
    """What became of a saved state, by parameter. `print` says it in words.

    `kept` goes on with it. `new` had none, `reshaped` has another shape than when it was saved, and
    `foreign` was saved by another kind of optimizer, or without an option that needs more
    (`lacking` names what is not there): these three start as in a new run. `dropped` was saved for
    a parameter that is not trained any more.
    """

    kept: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    def __str__(self) -> str:
        return restored_text(self)


def load_optimizer_state(
    optimizer: Optimizer, state: Mapping[str, Any] | str | Path, *, key: str | None = None
) -> Restored:
    """Load what `optimizer.state_dict()` gave, parameter by parameter, by name.

    Moments follow their parameters when groups were split, merged, reordered or renamed since, and
    when the model was wrapped or unwrapped. Options (lr, weight_decay, ...) stay as the optimizer
    has them now. Tensors are cast and moved as torch's own `load_state_dict` does. What cannot be
    gone on with is left out, and the result says so.

    `state` may also be what torch's `get_optimizer_state_dict` gave, or the folder to which
    `torch.distributed.checkpoint` saved that, from however many processes; `key` then says which
    part of it, where it holds several. Whole and sharded states go into whole and sharded
    parameters. In a distributed run this is a collective.

    Raises ValueError where either side has no names, where `state` is no optimizer's, and for
    LBFGS, whose one history of all parameters cannot be taken apart, where they have changed.
    """
    slots = list(_slots(optimizer))
    if isinstance(state, str | Path):
        from grouper.train.resume.sharded_state import read

        state = read(state, {slot.name: slot.tensor for slot in slots}, key)
    saved = _saved(state)
    own = optimizer.state_dict()
    if isinstance(optimizer, LBFGS) and any(WHOLE in values for values in saved.values()):
        names = [slot.name for slot in slots]
        _refuse_other_parameters(list(_names_in(state)), names)
        optimizer.load_state_dict({**state, "param_groups": own["param_groups"]})
        return Restored(tuple(names))
    values: dict[int, Any] = dict(own["state"])
    fates: dict[str, list[str]] = {key: [] for key in ("kept", "new", "reshaped", "foreign")}
    lacking: dict[str, None] = {}
    used = _matched([slot.name for slot in slots], list(saved))
    for slot in slots:
        found = saved.get(used.get(slot.name, ""))
        fate, lacks = ("new", []) if found is None else _fate(found, slot)
        fates[fate].append(slot.name)
        lacking.update(dict.fromkeys(lacks))
        if found is not None and fate == "kept":
            values[slot.number] = _placed(found, slot.tensor)
    optimizer.load_state_dict({"state": values, "param_groups": own["param_groups"]})
    dropped = tuple(name for name in saved if name not in set(used.values()))
    lists = {key: tuple(names) for key, names in fates.items()}
    return Restored(**lists, dropped=dropped, lacking=tuple(lacking))


@dataclass(frozen=True)
class _Slot:
    """A parameter of the optimizer: its name, its number in the state, what is kept for it."""

    name: str
    number: int
    tensor: Tensor
    expected: Shapes

    @property
    def shape(self) -> Shape:
        return _shape(self.tensor)


def _slots(optimizer: Optimizer) -> Iterator[_Slot]:
    expectations, number = StateShapes(optimizer), 0
    packed = optimizer.state_dict()["param_groups"]
    for group, names in zip(optimizer.param_groups, packed, strict=True):
        for name, tensor in zip(_names(names, "the optimizer"), group["params"], strict=True):
            yield _Slot(name, number, tensor, expectations.of(group, tensor))
            number += 1


def _saved(state: Mapping[str, Any]) -> dict[str, State]:
    """The saved state by name; only parameters that have any."""
    if "param_groups" not in state or "state" not in state:
        keys = ", ".join(f"`{key}`" for key in list(state)[:5])
        raise ValueError(
            f"this is no state of an optimizer (it has {keys or 'nothing'}): give what"
            " `optimizer.state_dict()` gave, such as `checkpoint['optimizer']`"
        )
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    return {
        name: state["state"][number]
        for name, number in zip(_names_in(state), numbers, strict=True)
        if state["state"].get(number)
    }


def _names_in(state: Mapping[str, Any]) -> Iterator[str]:
    for group in state["param_groups"]:
        yield from _names(group, "the saved state")


def _names(group: Mapping[str, Any], whose: str) -> Sequence[str]:
    if "param_names" in group:
        return list(group["param_names"])
    params = list(group["params"])
    if all(isinstance(name, str) for name in params):
        return params  # as torch.distributed.checkpoint has it
    raise ValueError(
        f"{whose} has no names of parameters, so nothing can be found by name: build optimizers"
        " with grouper, or from `named_parameters()` under torch 2.6 or later"
    )


def _matched(wanted: Sequence[str], saved: Sequence[str]) -> dict[str, str]:
    """The saved name of each wanted one: the same, or the same without wrappers."""
    same = {name: name for name in set(wanted) & set(saved)}
    left, others = [[n for n in names if n not in same] for names in (wanted, saved)]
    bare = dict(zip(bare_names(others), others, strict=True))
    if len(bare) < len(others):
        return same
    pairs = zip(left, bare_names(left), strict=True)
    return same | {name: bare[plain] for name, plain in pairs if plain in bare}


def _placed(state: State, tensor: Tensor) -> State:
    """A parameter's state, in parts where it is, and whole where it is."""
    if not any(hasattr(value, "placements") for value in (tensor, *state.values())):
        return state
    from grouper.train.resume.sharded_state import placed

    return {key: placed(value, tensor) for key, value in state.items()}


def _fate(state: State, slot: _Slot) -> tuple[str, list[str]]:
    """What becomes of a parameter's saved state, and what it lacks."""
    lacks = [key for key in slot.expected if key not in state]
    if lacks:
        return "foreign", lacks
    if slot.expected:
        pairs = [(_shape(state[key]), due) for key, due in slot.expected.items()]
        fits = all(got == due or prod(got) == prod(due) == 1 for got, due in pairs if got)
    else:
        fits = _could_fit([_shape(value) for value in state.values()], slot.shape)
    return "kept" if fits else "reshaped", []


def _could_fit(shapes: Sequence[Shape], due: Shape) -> bool:
    """Whether pieces of state can belong to a parameter, for an optimizer that could not be tried:
    one of its shape, or several that make it up (the factored moments of Adafactor), or none that
    has a shape."""
    shaped = [shape for shape in shapes if shape]
    factors = [s for s in shaped if len(s) == len(due)]
    if not shaped or due in shaped:
        return True
    smaller = all(size in (1, full) for s in factors for size, full in zip(s, due, strict=True))
    return (
        smaller
        and bool(due)
        and all(any(s[place] == full for s in factors) for place, full in enumerate(due))
    )


def _shape(value: Any) -> Shape:
    return tuple(getattr(value, "shape", ()))


def _refuse_other_parameters(saved: list[str], wanted: list[str]) -> None:
    if bare_names(saved) != bare_names(wanted):
        raise ValueError(
            "LBFGS keeps one history for all parameters in their order, and they have changed since"
            " it was saved: it cannot be carried over, so begin without it"
        )


def restored_text(restored: Restored) -> str:
    """One line with the counts, then a line for each fate that deserves a look."""
    lacking = ", ".join(f"`{visible(key)}`" for key in restored.lacking)
    lines = {
        "kept": "",
        "new": "nothing was saved for them, so they start anew",
        "reshaped": "their shape is not the saved one, so they start anew",
        "foreign": f"the saved state has no {lacking}, so they start anew",
        "dropped": "saved, but not trained any more",
    }
    names = {word: getattr(restored, word) for word in lines}
    counts = ", ".join(f"{len(names[word])} {word}" for word in lines if names[word])
    text = [f"optimizer state by name: {counts or 'there was none'}"]
    for word, why in lines.items():
        if why and names[word]:
            text.append(f"  {word} ({why}): {_folded(names[word])}")
    if names["new"] and names["dropped"] and not names["kept"]:
        text.append("  no name is in both: is it the state of this model?")
    return "\n".join(text)


def _folded(names: tuple[str, ...]) -> str:
    patterns = [visible(pattern) for pattern in fold(names)]
    more = len(patterns) - LISTED
    return ", ".join(patterns[:LISTED]) + (f" and {more} more patterns" if more > 0 else "")
