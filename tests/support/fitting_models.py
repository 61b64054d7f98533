"""Models that the rules in README and docs/ are written for, and the files that they name."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import torch
from support.builders import LINEAR, NORM, PLAIN, Module, inventory, parameter
from support.pages import ROOT
from torch import nn

import grouper
from grouper.group.compare import disagreement as ranks_disagree
from grouper.group.compare import fingerprint_of
from grouper.group.lock import locked_model
from grouper.group.lock_text import lock_text
from grouper.model.formats.snapshot import dumps
from grouper.model.inventory import Inventory
from grouper.model.live import inventory_of
from grouper.model.read import read
from grouper.reports.finding_text import findings_text
from grouper.reports.output import Output
from grouper.train.resume.restored import Restored

MY_RULES = """\
optimizer SGD lr=0.01 momentum=0.9
warmup epochs=1
head.* -> head
else   -> body lr*=0.1
"""
REST = "* -> all lr=0.1"  # what statements without rules go on with
EMBEDDING = Module("", "torch.nn.modules.sparse.Embedding", ("torch.nn.modules.module.Module",))


class Net(nn.Module):
    """A backbone and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8))
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.backbone(x))
        return scores


def language_model(width: int = 64) -> Inventory:
    """A transformer of four layers: embeddings, attention, mlp, norms and a head."""
    names, classes = [parameter("embed.weight", (100, width))], {"embed": EMBEDDING}
    for i in range(4):
        for part, shape in (("attn", (width, width)), ("mlp", (4 * width, width))):
            path = f"layers.{i}.{part}"
            names += [parameter(f"{path}.weight", shape), parameter(f"{path}.bias", shape[:1])]
            classes[path] = LINEAR
        names.append(parameter(f"layers.{i}.norm.weight", (width,)))
        classes[f"layers.{i}.norm"] = NORM
    names += [parameter("norm.weight", (width,)), parameter("head.weight", (100, width))]
    return inventory(*names, classes={**classes, "norm": NORM, "head": LINEAR, "layers": PLAIN})


@cache
def models() -> dict[str, Inventory]:
    """The models by name; the first that a block fits is the one that it is checked with."""
    from ultralytics.nn.tasks import DetectionModel

    return {
        "yolov5s": read(str(ROOT / "examples" / "yolov5s.pt"), "model"),
        "yolov8n": inventory_of(DetectionModel("yolov8n.yaml", verbose=False)),
        "vit": read("timm:vit_tiny_patch16_224"),
        "net": inventory_of(Net()),
        "transformer": language_model(),
    }


def write_companions(folder: Path) -> None:
    """The files that rules in the pages name: models beside them, and an included file."""
    (folder / "small.json").write_text(dumps(language_model(16)))
    (folder / "model.json").write_text(dumps(language_model()))
    (folder / "warmup.rules").write_text("warmup epochs=3\nschedule cosine\n")


def write_files(folder: Path) -> None:
    """The files that commands in the pages name."""
    from ultralytics.nn.tasks import DetectionModel

    for name in ("examples", "rules"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "examples" / "yolov5s.pt", folder)
    torch.save({"model": DetectionModel("yolo11n.yaml", verbose=False)}, folder / "yolo11n.pt")
    (folder / "my.rules").write_text(MY_RULES)
    (folder / "my_model.py").write_text("from support.fitting_models import Net as build\n")
    (folder / "run.jsonl").write_text(json_of_the_monitor())


def json_of_the_monitor() -> str:
    from support.pages import blocks

    (block,) = blocks("json")
    return block.text


def disagreement() -> str:
    """What is printed where two ranks read rules that differ."""
    model = inventory("block.weight")
    sets = [grouper.parse(f"optimizer SGD lr=1\n* -> block weight_decay={d}") for d in (0.1, 0.2)]
    terms = {}
    for rank, rules in enumerate(sets):
        grouping = grouper.check(model, rules).grouping
        assert grouping is not None
        terms[rank] = fingerprint_of(rules, grouping)
    finding = ranks_disagree(terms, {0: "a.rules", 1: "b.rules"})
    return findings_text([finding], Output(color="never")).strip("\n")


def locked() -> str:
    """What `grouper lock` writes for the small network."""
    rules, model = grouper.parse(MY_RULES), inventory_of(Net())
    grouping = grouper.check(model, rules).grouping
    assert grouping is not None
    return lock_text("my.rules", [locked_model("net.json", model, rules, grouping)]).rstrip("\n")


def restored() -> str:
    """What resuming says."""
    return str(
        Restored(
            kept=tuple(f"kept.{i}" for i in range(171)),
            new=tuple(f"model.23.cv{b}.{i}.bias" for b in (2, 3) for i in range(3)),
            reshaped=("model.22.cls.weight", "model.22.cls.bias"),
            dropped=tuple(f"model.21.{m}.{k}" for m in "mn" for k in ("weight", "bias")),
        )
    )
