"""Which parameter of a model each tensor of a group is, where an optimizer has no names: by order
and shape.

Groups are filled in the model's order, and what one line of a training program sends to a group is
alike: all biases, all norms, all parameters of a layer. So parameters are joined to units, coarse
ones first, and each unit goes to the group whose next tensors have its shapes. The first division
that fits all tensors is taken; there may be others. Where a file has lost the model's order, a unit
goes to a group that has tensors of its shapes anywhere.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence

from grouper.match.classes import owner_path
from grouper.model.adapters import ADAPTER
from grouper.model.inventory import Inventory, Parameter
from grouper.text.dataclass import dataclass

LEAST_STEPS = 5_000  # of a search; of a large model there are more
STEPS_EACH = 3  # for each parameter
NOWHERE = -1  # in no group
_NUMBER = re.compile(r"\.\d+(?=\.|$)")

Shape = tuple[int, ...] | None
Unit = Callable[[Parameter], Hashable]


def match_by_order(
    groups: Sequence[Sequence[Shape]], decays: Sequence[float], inventory: Inventory
) -> list[list[Parameter]] | None:
    """The parameters of each group, by the shapes of its tensors in order; None where no division
    of the model's parameters was found that has them. `decays` are the groups' weight decays: of
    several divisions, one that decays matrices is the likely one."""
    total = sum(map(len, groups))
    filled = sum(map(bool, groups))
    orders = (False,) if inventory.order == "sorted" else (True, False)
    for ordered in orders:
        for parameters in _candidates(inventory):
            for unit in _units(inventory) if len(parameters) >= total else ():
                units = [unit(parameter) for parameter in parameters]
                if len(set(units)) < filled:
                    continue
                found = _Search(parameters, groups, units, decays, ordered).division()
                if found is not None:
                    return found
    return None


def _candidates(inventory: Inventory) -> Iterator[list[Parameter]]:
    """The parameters that may be trained, those that most probably are first."""
    trained = [p for p in inventory.parameters if p.trainable is not False]
    adapters = [p for p in trained if ADAPTER.search(p.name)]
    if adapters:
        yield adapters
    yield trained
    if len(trained) < len(inventory.parameters):
        yield list(inventory.parameters)


def _units(inventory: Inventory) -> Iterator[Unit]:
    """The parameters that go to one group together, the coarsest units first."""
    modules = inventory.modules

    def kind(parameter: Parameter) -> Hashable:
        return parameter.name.rpartition(".")[2], parameter.ndim

    def cls(parameter: Parameter) -> Hashable:
        owner = modules.get(owner_path(parameter.name, modules)) if modules is not None else None
        place = parameter.name.split(".")[-2:-1] if owner is None or not owner.cls else owner.cls
        return str(place), *_pair(kind(parameter))

    yield lambda parameter: (parameter.ndim or 0) > 1
    yield kind
    yield cls
    yield lambda parameter: parameter.name.partition(".")[0]
    yield lambda parameter: (parameter.name.partition(".")[0], *_pair(kind(parameter)))
    yield lambda parameter: (_layer(parameter.name), (parameter.ndim or 0) > 1)
    yield lambda parameter: (_layer(parameter.name), *_pair(kind(parameter)))
    yield lambda parameter: (parameter.name.split(".")[:3][-1], *_pair(cls(parameter)))
    yield lambda parameter: (*parameter.name.split(".")[:3], *_pair(kind(parameter)))
    yield lambda parameter: parameter.name


def _pair(kind: Hashable) -> tuple[Hashable, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def _layer(name: str) -> str:
    """The path up to its last number, or else up to its second dot."""
    numbers = list(_NUMBER.finditer(name))
    return name[: numbers[0].end()] if numbers else ".".join(name.split(".")[:2])


@dataclass(frozen=True)
class _Choice:
    """The place to which a parameter went: the number of a group, or NOWHERE.

    `decides` is its unit where it is the first of it.
    """

    place: int
    shape: Shape
    decides: Hashable | None
    left: tuple[int, ...] = ()  # the places that its unit has not tried


class _Search:
    """A depth-first search over the group of each unit, in the order in which units come."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        groups: Sequence[Sequence[Shape]],
        units: Sequence[Hashable],
        decays: Sequence[float],
        ordered: bool,
    ) -> None:
        self.parameters, self.units = parameters, units
        self.left = [_InOrder(group) if ordered else _AnyOrder(group) for group in groups]
        self.spare = len(parameters) - sum(map(len, groups))
        self.places = (*range(len(groups)), *(NOWHERE,) * (self.spare > 0))
        self.decaying = tuple(sorted(self.places, key=lambda p: -decays[p] if p >= 0 else 1))
        self.spared = tuple(sorted(self.places, key=lambda p: decays[p] if p >= 0 else math.inf))
        self.chosen: dict[Hashable, int] = {}
        self.trail: list[_Choice] = []

    def division(self) -> list[list[Parameter]] | None:
        """The parameters of each group; None where no units fit the groups, or the steps are used
        up.
        """
        places: tuple[int, ...] | None = None
        for _ in range(LEAST_STEPS + STEPS_EACH * len(self.parameters)):
            index = len(self.trail)
            if index == len(self.parameters):
                return self._divided()
            if self._forward(self.units[index], self.parameters[index].shape, places):
                places = None
                continue
            places = self._back()
            if places is None:
                return None
        return None

    def _divided(self) -> list[list[Parameter]]:
        divided: list[list[Parameter]] = [[] for _ in self.left]
        for parameter, choice in zip(self.parameters, self.trail, strict=True):
            if choice.place != NOWHERE:
                divided[choice.place].append(parameter)
        return divided

    def _forward(self, unit: Hashable, shape: Shape, places: tuple[int, ...] | None) -> bool:
        """Send the next parameter to the first place that is left to try and takes it: matrices
        to the groups that decay before the others."""
        known = self.chosen.get(unit)
        if known is not None:
            places = (known,)
        elif places is None:
            places = self.decaying if shape is not None and len(shape) > 1 else self.spared
        for at, place in enumerate(places):
            if self._takes(place, shape):
                self._count(place, shape, 1)
                decides = unit if known is None else None
                self.trail.append(_Choice(place, shape, decides, places[at + 1 :]))
                self.chosen[unit] = place
                return True
        return False

    def _back(self) -> tuple[int, ...] | None:
        """Undo up to the last unit that may go elsewhere: the places left for it."""
        while self.trail:
            choice = self.trail.pop()
            self._count(choice.place, choice.shape, -1)
            if choice.decides is not None:
                del self.chosen[choice.decides]
                if choice.left:
                    return choice.left
        return None

    def _takes(self, place: int, shape: Shape) -> bool:
        return self.spare > 0 if place == NOWHERE else self.left[place].takes(shape)

    def _count(self, place: int, shape: Shape, number: int) -> None:
        if place == NOWHERE:
            self.spare -= number
        else:
            self.left[place].count(shape, number)


class _InOrder:
    """The rest of a group's tensors, which are taken one after the other."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.shapes, self.taken = shapes, 0

    def takes(self, shape: Shape) -> bool:
        if self.taken >= len(self.shapes):
            return False
        due = self.shapes[self.taken]
        return due is None or shape is None or due == shape

    def count(self, _shape: Shape, number: int) -> None:
        self.taken += number


class _AnyOrder:
    """The rest of a group's tensors, which are taken by their shapes; None fits any shape."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.shapes = Counter(shapes)
        self.taken: list[Shape] = []

    def takes(self, shape: Shape) -> bool:
        return self.shapes[shape] > 0 or self.shapes[None] > 0

    def count(self, shape: Shape, number: int) -> None:
        if number > 0:
            self.taken.append(shape if self.shapes[shape] > 0 else None)
            self.shapes[self.taken[-1]] -= 1
        else:
            self.shapes[self.taken.pop()] += 1
