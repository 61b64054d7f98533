"""Lightning by a rules file, on a CPU in less than a minute.

A small network learns to tell whether two points of a plane lie on the same side of a circle. Its
backbone is opened after 50 steps by the rules, in the place of a BackboneFinetuning callback.
"""

import logging
import tempfile
import warnings
from itertools import pairwise
from pathlib import Path

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from grouper.integrations.lightning import configure

RULES = Path(__file__).with_suffix(".rules")


def points(seed: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.rand(count, 4, generator=generator) * 2 - 1
    inside = pairs.view(-1, 2, 2).square().sum(2) < 0.6
    return pairs, (inside[:, 0] == inside[:, 1]).long()


class Net(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        widths = [4, 64, 64, 64]
        self.backbone = nn.Sequential(
            *(nn.Sequential(nn.Linear(a, b), nn.GELU()) for a, b in pairwise(widths))
        )
        self.head = nn.Linear(widths[-1], 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(x))

    def training_step(self, batch, _):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return configure(self, RULES)

    def right(self) -> float:
        """The share of unseen pairs that are told right."""
        pairs, same = points(1, 4096)
        with torch.no_grad():
            return (self(pairs).argmax(1) == same).float().mean().item()


def main() -> None:
    warnings.filterwarnings("ignore", ".*num_workers.*")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    seed_everything(0)
    net = Net()
    print(f"before: {net.right():.1%} of unseen pairs are told right")
    loader = DataLoader(TensorDataset(*points(0, 8192)), batch_size=128, shuffle=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            max_epochs=40,
            accelerator="cpu",
            accumulate_grad_batches=2,
            gradient_clip_val=1.0,
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(net, loader)
    plan = net.lr_schedulers().plan
    print(f"after {trainer.global_step} steps: {net.right():.1%} of unseen pairs are told right")
    for step in (0, 49, 60, 600):
        rates = {name: f"{values['lr']:.2g}" for name, values in plan.at(step).items()}
        print(f"  lr at step {step}: {rates}")


if __name__ == "__main__":
    main()
