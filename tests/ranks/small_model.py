"""A small model with everything that sharding makes hard: uneven sizes, a tie, frozen weights."""

import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.distributed.fsdp import fully_shard

RULES = """
optimizer AdamW lr=0.02 betas=(0.9, 0.99)
warmup steps=3 start=0.001 momentum=0.8
schedule cosine final=0.1 every=step
in @Block and ndim >= 2 -> block weight_decay=0.1
in @Block and ndim < 2  -> small warmup_start=0.05
tied                    -> twins lr*=0.5
else                    -> rest lr=0.1 / fan_in
"""
OTHERWISE = """
optimizer AdamW lr=0.02 betas=(0.9, 0.99)
warmup steps=3 start=0.001 momentum=0.8
schedule cosine final=0.1 every=step
blocks.{i}.* -> block{i} lr*=1 / (1 + i)
else         -> rest
"""
STEPS = 6


class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.linear = nn.Linear(size, size)
        self.norm = nn.LayerNorm(size)

    def forward(self, x):
        return x + self.norm(self.linear(x)).tanh()


class Net(nn.Module):
    def __init__(self, blocks=2):
        super().__init__()
        self.embed = nn.Linear(5, 7, bias=False)
        self.blocks = nn.ModuleList(Block(7) for _ in range(blocks))
        self.out = nn.Linear(7, 3, bias=False)
        self.twin = nn.Linear(7, 3, bias=False)
        self.twin.weight = self.out.weight
        self.blocks[0].norm.bias.requires_grad_(False)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.out(x) + self.twin(x.relu())


def net(blocks=2):
    torch.manual_seed(0)
    return Net(blocks)


def sharded(model, mesh):
    for block in model.blocks:
        fully_shard(block, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def checkpointed(model):
    for index, block in enumerate(model.blocks):
        model.blocks[index] = checkpoint_wrapper(block)
    return model


def batches(count=STEPS, first=0):
    found = []
    for step in range(first, first + count):
        generator = torch.Generator().manual_seed(step)
        found.append(torch.randn(8, 5, generator=generator))
    return found


def whole(tensor):
    full = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return full.detach().clone()


def train(model, optimizer, scheduler, data, clip=None):
    """The lr of every group before each step, and the norms of gradients where they are clipped."""
    rates, norms = [], []
    for batch in data:
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        if clip is not None:
            norms.append(whole(nn.utils.clip_grad_norm_(model.parameters(), clip)).item())
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return rates, norms


def state_by_name(optimizer):
    return {
        name: {key: whole(value) for key, value in optimizer.state[tensor].items()}
        for group in optimizer.param_groups
        for name, tensor in zip(group["param_names"], group["params"], strict=True)
    }
