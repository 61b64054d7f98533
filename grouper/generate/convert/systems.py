"""The systems whose configurations can be converted: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grouper.generate.convert import (
    allennlp,
    axolotl,
    big_vision,
    detectron2,
    fairseq2,
    json_groups,
    kohya,
    llmfoundry,
    mmengine,
    olmo,
    sam2,
    torchtitan,
)
from grouper.generate.convert.converted import Converted
from grouper.generate.convert.errors import ConvertError
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class System:
    """A system: `recognises` knows a configuration by its keys, and `convert` makes rules of it.

    With a model the rules are exact. `on_dead` is what the system does about a pattern that matches
    nothing.
    """

    name: str
    recognises: Callable[[Any], bool]
    convert: Callable[[Any, Inventory | None], Converted]
    on_dead: str


SYSTEMS = {
    system.name: system
    for system in (
        System("mmengine", mmengine.recognises, mmengine.convert, "does not report it"),
        System("allennlp", allennlp.recognises, allennlp.convert, "warns of it"),
        System("fairseq2", fairseq2.recognises, fairseq2.convert, "warns of it"),
        System("torchtitan", torchtitan.recognises, torchtitan.convert, "stops at it"),
        System("olmo", olmo.recognises, olmo.convert, "stops at it"),
        System("big_vision", big_vision.recognises, big_vision.convert, "does not report it"),
        System("sam2", sam2.recognises, sam2.convert, "stops at it"),
        System("axolotl", axolotl.recognises, axolotl.convert, "does not report it"),
        System("llm-foundry", llmfoundry.recognises, llmfoundry.convert, "does not report it"),
        System("detectron2", detectron2.recognises, detectron2.convert, "does not report it"),
        System("kohya", kohya.recognises, kohya.convert, "does not report it"),
        System("json", json_groups.recognises, json_groups.convert, "has no group for it"),
    )
}


def system_of(config: Any, name: str | None) -> System:
    """The system that is named, or else the one that the keys show. Raises ConvertError where that
    is none, or more than one."""
    if name is not None:
        return SYSTEMS[name]
    known = ", ".join(SYSTEMS)
    found = [system for system in SYSTEMS.values() if system.recognises(config)]
    if not found:
        raise ConvertError(f"no known system shows in its keys: name one with --from ({known})")
    if len(found) > 1:
        names = ", ".join(system.name for system in found)
        raise ConvertError(f"it could be of several systems ({names}): name one with --from")
    return found[0]
