"""A model, or one stage of it, and what a report of the whole says about it."""

from __future__ import annotations

import warnings
from collections.abc import Container, Mapping

from torch import nn

from grouper.group.grouping import Grouping
from grouper.model.inventory import Parameter
from grouper.model.live import inventory_of, tensors_of
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import GroupingWarning
from grouper.text.fold import folded_list

MOST_PATTERNS = 3  # of names in a message


@dataclass(frozen=True)
class Part:
    """What this process has of the model that a grouping is of.

    It is a grouping, and the tensors by every name that they have in the whole model.
    """

    grouping: Grouping
    tensors: Mapping[str, nn.Parameter]

    def tensor(self, parameter: Parameter) -> nn.Parameter:
        """A parameter's tensor, under whichever of its names it is here.

        Raises KeyError where it is not here.
        """
        for name in parameter.names:
            tensor = self.tensors.get(name)
            if tensor is not None:
                return tensor
        raise KeyError(parameter.name)


def part_of(model: nn.Module, grouping: Grouping, prefix: str | None = None) -> Part:
    """The part of a grouping that a model is: mostly all of it.

    `prefix` is what the model's own names lack ("layers.4."), or "" for a part that has the names
    of the whole; None where it should be the whole, so that what it lacks is a warning. Raises
    ValueError where it has a parameter that the whole has not, or, as a part, one of another shape.
    """
    before = prefix or ""
    tensors = tensors_of(model)
    if before:
        tensors = {before + name: tensor for name, tensor in tensors.items()}
    whole = {name: p for p in _every(grouping) for name in p.names}
    if tensors.keys() == whole.keys():
        return Part(grouping, tensors)
    own = {before + name: p for p in inventory_of(model).parameters for name in p.names}
    lacking = [name for name in whole if name not in own]
    _refuse_other_model(own, whole, lacking, prefix)
    if prefix is None:
        warnings.warn(
            f"the report is of more than this model, which lacks"
            f" {folded_list(lacking, MOST_PATTERNS)}: it is taken as a part of the whole (to say"
            ' so: `prefix=""`; where it is another model, call `grouper.check` on it)',
            GroupingWarning,
            stacklevel=3,
        )
    return Part(_restricted(grouping, tensors), tensors)


def planned_part(model: nn.Module, grouping: Grouping, prefix: str | None) -> Grouping:
    """The grouping of a part, to plan it. A model that has other names is left to the optimizer
    that is built of it; Raises ValueError where a `prefix` says that it is a part, and it is none.
    """
    if prefix is not None:
        return part_of(model, grouping, prefix).grouping
    own = tensors_of(model).keys()
    whole = {name for p in _every(grouping) for name in p.names}
    return _restricted(grouping, own) if own and own < whole else grouping


def _every(grouping: Grouping) -> list[Parameter]:
    trained = [parameter for group in grouping.groups for parameter in group.parameters]
    return [*trained, *grouping.frozen, *grouping.unmatched]


def _restricted(grouping: Grouping, names: Container[str]) -> Grouping:
    def kept(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        return tuple(p for p in parameters if any(name in names for name in p.names))

    groups = [replace(group, parameters=kept(group.parameters)) for group in grouping.groups]
    return replace(
        grouping,
        groups=tuple(group for group in groups if group.parameters),
        frozen=kept(grouping.frozen),
        unfrozen=tuple(map(kept, grouping.unfrozen)),
        unmatched=kept(grouping.unmatched),
    )


def _refuse_other_model(
    own: Mapping[str, Parameter],
    whole: Mapping[str, Parameter],
    lacking: list[str],
    prefix: str | None,
) -> None:
    """Raises ValueError unless the parameters are those of the report's model or a part of it."""
    is_part = bool(lacking) and any(name in whole for name in own)
    strange = next((name for name in own if name not in whole), None)
    if lacking and not is_part:
        raise ValueError(_other_model(f"lacks `{lacking[0]}`", own, whole, prefix))
    if strange is not None:
        raise ValueError(_other_model(f"also has `{strange}`", own, whole, prefix))
    for name, parameter in own.items() if is_part else ():
        shapes = parameter.shape, whole[name].shape
        if None not in shapes and shapes[0] != shapes[1]:
            what = f"has `{name}` of shape {shapes[0]}, and there it is {shapes[1]}"
            raise ValueError(_other_model(what, own, whole, prefix))


def _other_model(
    what: str, own: Mapping[str, Parameter], whole: Mapping[str, Parameter], prefix: str | None
) -> str:
    said = f"the report was made of another model: this one {what}; call"
    said += " `grouper.check(model, rules)` on this model"
    prefixes = _fitting_prefixes(own, whole) if prefix is None else []
    if prefixes:
        said += f', or say what the names of a part lack: `prefix="{prefixes[0]}"`'
    return said


def _fitting_prefixes(own: Mapping[str, Parameter], whole: Mapping[str, Parameter]) -> list[str]:
    """The prefixes with which all names of the part are those of parameters of the whole, of these
    shapes.
    """
    first = next(iter(own), None)
    longer = [name for name in whole if first is not None and name.endswith(f".{first}")]
    shapes = {name: parameter.shape for name, parameter in whole.items()}
    return [
        before
        for before in (name.removesuffix(str(first)) for name in longer)
        if all(shapes.get(before + name, ()) == p.shape for name, p in own.items())
    ]
