"""A run of torchtitan's Trainer on any number of ranks, by its own optimizer or by rules.

Called as `torchtitan_run.py OWNER FOLDER`. The small Llama and its data are those of the example.
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import torchtitan_train as example  # noqa: I001  (before torchtitan: it sets up the CPU)

import torch
from torch.distributed.fsdp import FSDPModule
from torchtitan.components.optimizer import (
    LRSchedulersContainer,
    default_adamw,
)

from grouper.integrations.torchtitan import optimizers, schedulers

RULES = """
optimizer AdamW lr=0.004 betas=(0.9, 0.95) eps=1e-8 weight_decay=0.1 fused=true
*norm.weight -> norms
else -> rest
"""


def sum_without_scaling() -> None:
    """Gloo cannot scale while it sums, which torchtitan asks of FSDP2."""
    divide = FSDPModule.set_gradient_divide_factor

    def both(self, factor):
        divide(self, factor)
        self.set_force_sum_reduction_for_comms(True)

    FSDPModule.set_gradient_divide_factor = both


def main(owner, folder):
    sum_without_scaling()
    config = example.configuration(folder)
    config.training = replace(config.training, steps=8)
    config.checkpoint.enable = False
    if owner == "rules":
        path = Path(folder) / "rules"
        path.write_text(RULES)
        config.optimizer, config.lr_scheduler = optimizers(str(path)), schedulers()
    else:
        config.optimizer = default_adamw(lr=0.004)
        config.lr_scheduler = LRSchedulersContainer.Config(warmup_steps=0, decay_ratio=0.0)
    run = config.build()
    run.train()
    (model,) = run.model_parts
    weights = {name: weight.full_tensor() for name, weight in model.named_parameters()}
    torch.save(weights, Path(folder) / f"{owner}.pt")
    run.close()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
