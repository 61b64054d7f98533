"""The kind of a model for which rules are begun, and how such models are usually trained."""

from __future__ import annotations

from grouper.checks.module_kinds import Kind, ModuleKinds
from grouper.generate.init.heads import is_yolo, trained_of
from grouper.model.adapters import ADAPTER
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Recipe:
    """The statements about training: `lets` and their comments, then what uses them.

    `body` is the rate of what is trained already, as a fraction of a new head's.
    """

    lets: tuple[tuple[str, str, str], ...]
    statements: str
    body: str = "0.1"


_ADAMW = "optimizer AdamW lr=base\n"
_HEAD = "the learning rate of the head, or of everything where there is no head"

YOLO = Recipe(
    (("base", "0.01", "the head's learning rate"), ("decay", "5e-4", "weight decay of weights")),
    "optimizer SGD lr=base momentum=0.937 nesterov=true\n"
    "warmup epochs=3 momentum=0.8\n"
    "schedule linear final=0.01\n",
)
ADAPTERS = Recipe(
    (("base", "2e-4", "the learning rate"), ("decay", "0", "weight decay")),
    "optimizer AdamW lr=base weight_decay=decay\nwarmup share=0.03\nschedule cosine after=warmup\n",
)
TEXT = Recipe(
    (("base", "2e-5", "the learning rate"), ("decay", "0.01", "weight decay of matrices")),
    _ADAMW + "warmup share=0.06\nschedule linear after=warmup\n",
    "1",
)
CONVOLUTIONS = Recipe(
    (("base", "0.01", "the learning rate"), ("decay", "1e-4", "weight decay of weights")),
    "optimizer SGD lr=base momentum=0.9 nesterov=true\n"
    "warmup share=0.05\n"
    "schedule cosine after=warmup\n",
)
OTHER = Recipe(
    (("base", "1e-3", "the learning rate"), ("decay", "0.05", "weight decay of matrices")),
    _ADAMW + "warmup share=0.05\nschedule cosine final=0.01 after=warmup\n",
)


def has_adapters(inventory: Inventory) -> bool:
    """Whether only adapters of peft, and little beside them, train."""
    trained = trained_of(inventory)
    adapters = [p for p in trained if ADAPTER.search(p.name)]
    return bool(adapters) and 2 * len(adapters) >= len(trained)


def recipe_for(inventory: Inventory) -> Recipe:
    """How models of this kind are usually trained, by the classes of their modules."""
    if is_yolo(inventory):
        return YOLO
    if has_adapters(inventory):
        return ADAPTERS
    classes = {module.cls for module in (inventory.modules or {}).values() if not module.inferred}
    kinds = set(ModuleKinds(inventory).of.values())
    if Kind.EMBEDDING in kinds and any(cls.startswith("transformers.") for cls in classes):
        return TEXT
    attends = any("attention" in cls.lower() or "attn" in cls.lower() for cls in classes)
    if Kind.CONV in kinds and any("BatchNorm" in cls for cls in classes) and not attends:
        return CONVOLUTIONS
    return OTHER
