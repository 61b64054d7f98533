"""What building groups costs, beside what frameworks' own code takes for the same models.

python benchmarks/groups.py

Milliseconds of processor time, the median of runs in turn in one process: frameworks' own code,
which checks nothing, `param_groups` of rules, `param_groups` with a report at hand, and mmengine's
constructor. The mixture of experts, on the meta device, is beside a loop written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import torch
from torch import nn

import grouper

ROOT = Path(__file__).parents[1]
Groups = Callable[[], object]


def yolo(name: str) -> tuple[nn.Module, str, Groups]:
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel(f"{name}.yaml", verbose=False)
    norms = tuple(v for k, v in nn.__dict__.items() if "Norm" in k)

    def own() -> object:  # the loop of ultralytics.engine.trainer.build_optimizer
        g: tuple[list[Any], ...] = [], [], []
        for module_name, module in model.named_modules():
            for parameter_name, parameter in module.named_parameters(recurse=False):
                full = f"{module_name}.{parameter_name}" if module_name else parameter_name
                if "bias" in full:
                    g[2].append(parameter)
                elif isinstance(module, norms) or "logit_scale" in full:
                    g[1].append(parameter)
                else:
                    g[0].append(parameter)
        return g

    return model, (ROOT / "rules" / "ultralytics.rules").read_text("utf-8"), own


def layered(name: str, rules: str) -> tuple[nn.Module, str, Groups]:
    import timm
    from timm.optim import param_groups_layer_decay

    with torch.device("meta"):
        model = timm.create_model(name)
    text = (ROOT / "rules" / rules).read_text("utf-8")
    text = text.replace('include "no-decay.rules"', "").replace("include no-decay", "")
    return model, text, lambda: param_groups_layer_decay(model, 0.05, layer_decay=0.75)


def llama() -> tuple[nn.Module, str, Groups]:
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.trainer_pt_utils import get_parameter_names

    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig())

    def own() -> object:  # transformers.Trainer.create_optimizer, its list made a set
        forbidden = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
        decayed = {*get_parameter_names(model, [nn.LayerNorm], forbidden)}
        named = list(model.named_parameters())
        return [p for n, p in named if n in decayed], [p for n, p in named if n not in decayed]

    return model, DECAY, own


DECAY = """
optimizer AdamW lr=1e-4 weight_decay=0.1
@*Norm* or *.bias -> no_decay weight_decay=0
else -> decay
"""


class Expert(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = (nn.Linear(2, 2, bias=False) for _ in range(3))


class Block(nn.Module):
    def __init__(self, experts: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2)
        self.experts = nn.ModuleList(Expert() for _ in range(experts))


def mixture(modules: int) -> tuple[nn.Module, str, Groups]:
    with torch.device("meta"):
        model = nn.Sequential(*(Block(64) for _ in range(max(modules // 259, 1))))

    def own() -> object:
        decayed, others = [], []
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                spared = isinstance(module, nn.LayerNorm) or name == "bias"
                (others if spared else decayed).append(parameter)
        return decayed, others

    return model, DECAY, own


def of_mmengine(model: nn.Module) -> Groups:
    """mmengine's groups: another rate for one part, no decay of norms and biases."""
    from mmengine.logging import MMLogger
    from mmengine.optim import DefaultOptimWrapperConstructor

    MMLogger.get_current_instance().setLevel("ERROR")
    optimizer = {"type": "SGD", "lr": 0.01, "weight_decay": 5e-4}
    factors = {"norm_decay_mult": 0, "bias_decay_mult": 0, "custom_keys": {"head": {"lr_mult": 10}}}

    def groups() -> object:
        constructor = DefaultOptimWrapperConstructor(
            {"type": "OptimWrapper", "optimizer": optimizer}, factors
        )
        made: list[dict[str, Any]] = []
        constructor.add_params(made, model)
        return made

    return groups


def once(task: Groups) -> float:
    start = process_time()
    task()
    return process_time() - start


def timed(tasks: list[Groups], rounds: int) -> list[float]:
    """The median seconds of each task; they take turns."""
    for task in tasks:
        task()
    return [median(times) for times in zip(*([once(t) for t in tasks] for _ in range(rounds)))]  # noqa: B905


def row(name: str, made: tuple[nn.Module, str, Groups], rounds: int) -> None:
    model, text, own = made
    rules = grouper.parse(text, str(ROOT / "rules" / "benchmark.rules"))
    report = grouper.check(model, rules)
    count = len(report.inventory.parameters)
    tasks = [own, lambda: grouper.param_groups(model, rules), of_mmengine(model)]
    first, ours, other, again = timed([*tasks, lambda: grouper.param_groups(model, report)], rounds)
    groups = len(report.grouping.groups) if report.grouping else 0
    print(
        f"{name:26}{count:8,}{groups:8}{first * 1e3:9.2f}{ours * 1e3:9.2f}{ours / first:7.1f}x"
        f"{again * 1e3:9.2f}{again / first:7.1f}x{other * 1e3:10.1f}{ours / count * 1e6:9.1f}",
        flush=True,
    )


def main() -> None:
    sys.path.append(str(ROOT / "tests"))
    from support.torchvision_stub import define_operators

    define_operators()
    heads = f"{'own ms':>9}{'ours':>9}{'':8}{'report':>9}{'':8}{'mmengine':>10}{'us each':>9}"
    print(f"{'model':26}{'tensors':>8}{'groups':>8}{heads}")
    for name in ("yolov8n", "yolov8x", "yolo11x"):
        row(name, yolo(name), 11)
    row("ViT-L, layer decay", layered("vit_large_patch16_224", "vit-layer-decay.rules"), 11)
    swin = layered("swin_large_patch4_window7_224", "swin-layer-decay.rules")
    row("Swin-L, layer decay", swin, 11)
    row("Llama 7B", llama(), 11)
    for modules in (1_000, 10_000, 100_000):
        row(f"experts, {modules:,} modules", mixture(modules), 11 if modules < 50_000 else 3)


if __name__ == "__main__":
    main()
