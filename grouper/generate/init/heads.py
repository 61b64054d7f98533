"""The head of a model: the layers for its task, found by class or by their place in the model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grouper.checks.module_kinds import last_part
from grouper.match.classes import ancestors
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.text.dataclass import dataclass

# Classes that are heads wherever they are: of Ultralytics and YOLOv5, then of torchvision.
CLASSES = (
    "Detect", "Classify", "RTDETRDecoder",
    "FastRCNNPredictor", "MaskRCNNPredictor", "KeypointRCNNPredictor", "RetinaNetHead", "FCOSHead",
    "SSDHead", "SSDLiteHead", "FCNHead", "DeepLabHead", "LRASPPHead",
)  # fmt: skip
# What timm, torchvision and transformers call the last layer of a model.
NAMES = frozenset(
    (
        "head", "heads", "head_dist", "fc", "classifier", "classification_head", "last_linear",
        "score", "logits", "output_layer", "qa_outputs",
    )
)  # fmt: skip
# A class of transformers that puts a new head on a trained model.
_TASK = re.compile(
    r"For\w*(Classification|QuestionAnswering|MultipleChoice|ObjectDetection|Segmentation)$"
)
_PLAIN = re.compile(r"[A-Za-z0-9_.-]*")
MOST = 0.5  # of the model's values; of an MLP that has more, the last layer is new


@dataclass(frozen=True)
class Head:
    """`selector` takes the head's parameters, `words` says what it is."""

    selector: str
    words: str


def head_of(inventory: Inventory) -> Head | None:
    """The head of a model, or None if that is not sure, or if nothing else trains."""
    trained = trained_of(inventory)
    for head, members in (*_by_class(inventory, trained), *_by_place(inventory, trained)):
        if 0 < len(members) < len(trained) and not any(p.tied for p in members):
            return head
    return None


def trained_of(inventory: Inventory) -> list[Parameter]:
    """The parameters that the model has not frozen."""
    return [p for p in inventory.parameters if p.trainable is not False]


def is_yolo(inventory: Inventory) -> bool:
    """Whether a head of Ultralytics or YOLOv5 is in the model."""
    return any(
        module.cls.startswith(("ultralytics.", "models.yolo.", "models.common."))
        and _head_class(module) in CLASSES[:3]
        for module in (inventory.modules or {}).values()
    )


def _by_class(
    inventory: Inventory, trained: Sequence[Parameter]
) -> Iterator[tuple[Head, list[Parameter]]]:
    found = {
        path: name
        for path, module in (inventory.modules or {}).items()
        if path and (name := _head_class(module)) is not None
    }
    if found:
        names = sorted(set(found.values()))
        pattern = names[0] if len(names) == 1 else f"{{{','.join(names)}}}"
        classes = " and ".join(f"`{name}`" for name in names)
        members = [p for p in trained if not found.keys().isdisjoint(ancestors(p.name))]
        yield Head(f"in @{pattern}", f"what stands in {classes}"), members


def _head_class(module: Module) -> str | None:
    own = (module.cls, *(module.bases or ()))
    known = (last_part(cls) for cls in own if not module.inferred)
    return next((name for name in known if name in CLASSES), None)


def _by_place(
    inventory: Inventory, trained: Sequence[Parameter]
) -> Iterator[tuple[Head, list[Parameter]]]:
    """The last parts of the model, by their names or by the task that its class is for."""
    if inventory.order == "sorted":
        return
    prefix = _common_prefix(trained)
    parts = _parts(prefix, trained)
    names = _last_parts(inventory, prefix, parts)
    while len(names) == 1 and _share(parts[names[0]], trained) > MOST:
        inside = _parts(f"{prefix}{names[0]}.", parts[names[0]])
        if any(p.name.endswith(f".{name}") for name, (p, *_) in inside.items()):
            break  # one layer, and no MLP of which the last layer is the head
        prefix, parts, names = f"{prefix}{names[0]}.", inside, [*inside][-1:]
    members = [p for name in names for p in parts[name]]
    if names and _PLAIN.fullmatch(prefix) and max(p.ndim or 0 for p in members) >= 2:
        joined = names[0] if len(names) == 1 else f"{{{','.join(names)}}}"
        kind = "the model's last layer" if len(names) == 1 else "the model's last layers"
        exact = [p.name for p in members] == [f"{prefix}{joined}"]
        yield Head(f"{prefix}{joined}" + ".*" * (not exact), kind), members


def _last_parts(inventory: Inventory, prefix: str, parts: dict[str, list[Parameter]]) -> list[str]:
    """The names of the parts that end the model, in order, and are called like heads."""
    order = [*parts]
    root = (inventory.modules or {}).get(prefix.removesuffix("."))
    if root is not None and root.cls.startswith("transformers.") and len(order) > 1:
        body = next((name for name in order if name not in NAMES), "")
        return [name for name in order if name != body] if _TASK.search(root.cls) else []
    first = len(order)
    while first > 0 and order[first - 1] in NAMES:
        first -= 1
    return order[first:] if first else []


def _parts(prefix: str, parameters: Sequence[Parameter]) -> dict[str, list[Parameter]]:
    """The parameters by the next part of their names, in the model's order."""
    parts: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        rest = parameter.name.removeprefix(prefix)
        parts.setdefault(rest.partition(".")[0], []).append(parameter)
    return parts


def _common_prefix(parameters: Sequence[Parameter]) -> str:
    """The modules that hold all parameters, as `model.` of a LightningModule."""
    prefix = ""
    while len(parts := _parts(prefix, parameters)) == 1:
        ((name, members),) = parts.items()
        if any(p.name == prefix + name for p in members):
            break
        prefix = f"{prefix}{name}."
    return prefix


def _share(parameters: Sequence[Parameter], of: Sequence[Parameter]) -> float:
    values = sum(p.numel or 0 for p in of)
    return sum(p.numel or 0 for p in parameters) / values if values else 1.0
