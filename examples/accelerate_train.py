"""Accelerate by a rules file, on a CPU in less than a minute, and on as many as `accelerate launch`
starts.

A small GRU learns whether the sum of a sequence of signs is positive. Half-way all is saved, and a
second run goes on from there, as after a crash.
"""

import tempfile
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import grouper
from grouper.integrations.accelerate import steps

RULES = Path(__file__).with_suffix(".rules")
LENGTH, EPOCHS, ACCUMULATE, HALF = 11, 10, 2, 5


def signs(seed: int, count: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 2, (count, LENGTH, 1), generator=generator) * 2.0 - 1
    return TensorDataset(x, (x.sum((1, 2)) > 0).long())


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 16, batch_first=True)
        self.head = nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.gru(x)[0][:, -1])


def right(model: nn.Module) -> float:
    """The share of unseen sequences that are told right."""
    x, positive = signs(1, 4096).tensors
    with torch.no_grad():
        return (model(x).argmax(1) == positive).float().mean().item()


class Run:
    def __init__(self) -> None:
        torch.manual_seed(0)
        self.accelerator = Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATE)
        model, loader = Net(), DataLoader(signs(0, 2048), batch_size=32)
        length = steps(loader, ACCUMULATE, EPOCHS)
        optimizer, scheduler = grouper.build(model, RULES, steps=length)
        self.model, self.optimizer, self.loader, self.scheduler = self.accelerator.prepare(
            model, optimizer, loader, scheduler
        )

    def train(self, epochs: int) -> None:
        for _ in range(epochs):
            for x, y in self.loader:
                with self.accelerator.accumulate(self.model):
                    loss = nn.functional.cross_entropy(self.model(x), y)
                    self.accelerator.backward(loss)
                    self.optimizer.step()
                    self.scheduler.step()
                    self.optimizer.zero_grad()


def main() -> None:
    run = Run()
    say = run.accelerator.print
    say(f"before: {right(run.model):.1%} of unseen sequences are told right")
    with tempfile.TemporaryDirectory() as folder:
        run.train(HALF)
        run.accelerator.save_state(folder)
        run.train(EPOCHS - HALF)
        resumed = Run()
        resumed.accelerator.load_state(folder)
        resumed.train(EPOCHS - HALF)
    say(f"after: {right(run.model):.1%} of unseen sequences are told right")
    pairs = zip(run.model.parameters(), resumed.model.parameters(), strict=True)
    same = all(torch.equal(one, other) for one, other in pairs)
    say(f"saved half-way and resumed, the weights are {'the same' if same else 'others'}")
    for group in run.optimizer.param_groups:
        say(f"  {group['name']}: lr {group['initial_lr']:g}, at the end {group['lr']:.2g}")


if __name__ == "__main__":
    main()
