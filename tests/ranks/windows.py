"""What two ranks find when a group trains inside a window alone, under DistributedDataParallel."""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import grouper

STEPS, FIRST, END = 9, 3, 7
RULES = f"""
optimizer {{optimizer}}
warmup steps=2 start=0.01
schedule cosine final=0.1 after=warmup
0.* -> backbone from_step={FIRST} until_step={END} lr*=0.5
else -> head
"""
OPTIMIZERS = ("SGD lr=0.1 momentum=0.9", "AdamW lr=0.01")


class Run:
    """A wrapped model, its optimizer and scheduler, and the weights before each step."""

    def __init__(self, optimizer):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        rules = grouper.parse(RULES.format(optimizer=optimizer))
        self.optimizer = grouper.build_optimizer(self.model, rules)
        self.wrapped = DistributedDataParallel(self.model)
        self.scheduler = grouper.plan(self.model, rules, steps=STEPS).scheduler(self.optimizer)
        self.parts = self.model, self.optimizer, self.scheduler
        self.seen = []

    def train(self, steps):
        for step in steps:
            self.seen.append(self.weights())
            torch.manual_seed(10 * step + dist.get_rank())  # batches of its own on each rank
            self.optimizer.zero_grad()
            self.wrapped(torch.randn(5, 3)).square().mean().backward()
            self.optimizer.step()
            self.scheduler.step()
        return self

    def weights(self):
        return [p.detach().clone() for p in self.model.parameters()]


def on_both(weights):
    """Whether the other rank has the same bits."""
    gathered = [[torch.empty_like(w) for _ in range(2)] for w in weights]
    for both, weight in zip(gathered, weights, strict=True):
        dist.all_gather(both, weight)
    return all(torch.equal(*both) for both in gathered)


def outcome(optimizer, folder):
    whole = Run(optimizer).train(range(STEPS))
    resumed = []
    for stop in (1, FIRST, FIRST + 1, END, END + 1):
        path = folder / f"{stop}-{dist.get_rank()}.pt"
        before = Run(optimizer).train(range(stop))
        torch.save([part.state_dict() for part in before.parts], path)
        after = Run(optimizer)
        for part, state in zip(after.parts, torch.load(path), strict=True):
            part.load_state_dict(state)
        after.train(range(stop, STEPS))
        resumed.append(all(map(torch.equal, after.weights(), whole.weights())))
    moved = [
        [not torch.equal(a, b) for a, b in zip(one, other, strict=True)]
        for one, other in zip(whole.seen, [*whole.seen[1:], whole.weights()], strict=True)
    ]
    return {"same": [on_both(w) for w in whole.seen], "moved": moved, "resumed": resumed}


def main(folder):
    dist.init_process_group("gloo")
    found = {optimizer: outcome(optimizer, folder) for optimizer in OPTIMIZERS}
    (folder / f"windows{dist.get_rank()}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
