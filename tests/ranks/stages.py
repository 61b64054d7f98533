"""A run in two stages of a pipeline, each on as many ranks as there are halves of the batch.

Called as `stages.py WAY FOLDER`. Stages are cut, replicated or sharded as torchtitan does it, and
their groups come from a report of the whole model.
"""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed._composable.replicate_with_fsdp import replicate
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.pipelining import PipelineStage, ScheduleGPipe

import grouper

RULES = """
optimizer AdamW lr=0.02 weight_decay=0.1
warmup steps=3 start=0.1
schedule cosine final=0.1 every=step
layers.{i}.* -> layer{i} lr*=0.5 ** (max(i) - i)
else *.bias  -> bias weight_decay=0
else         -> rest
expect count(bias) == 1
"""
WAYS = {"replicate": replicate, "fsdp2": fully_shard}
STEPS, STAGES, LAYERS, BATCH = 6, 2, 4, 8


class Net(nn.Module):
    """What a stage has not is None there, as torchtitan cuts a model."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Linear(3, 4, bias=False)
        self.layers = nn.ModuleDict({str(i): nn.Linear(4, 4) for i in range(LAYERS)})
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.embed(x) if self.embed else x
        for layer in self.layers.values():
            x = layer(x).tanh()
        return self.head(x) if self.head else x

    def cut(self, stage):
        first, last = stage == 0, stage == STAGES - 1
        size = LAYERS // STAGES
        for number in list(self.layers):
            if int(number) // size != stage:
                del self.layers[number]
        if not first:
            self.embed = None
        if not last:
            self.head = None
        return self


def data():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(STEPS, BATCH, 3, generator=generator)


def loss(predicted, target):
    return (predicted - target).square().mean()


def built(part, report):
    return grouper.build(part, report, steps=STEPS, prefix="")


def alone():
    """Rates at each step, and the weights, of one process that has all stages and batches."""
    model = Net()
    optimizer, scheduler = built(model, grouper.check(model, grouper.parse(RULES)))
    rates = []
    for batch in data():
        optimizer.zero_grad()
        loss(model(batch), batch[:, :2]).backward()
        rates.append({group["name"]: group["lr"] for group in optimizer.param_groups})
        optimizer.step()
        scheduler.step()
    return rates, dict(model.named_parameters())


def staged(way):
    """The same of this rank: its stage, and its share of each batch."""
    copies = dist.get_world_size() // STAGES
    mesh = init_device_mesh("cpu", (STAGES, copies), mesh_dim_names=("stage", "copy"))
    number, copy = mesh.get_local_rank("stage"), mesh.get_local_rank("copy")
    report = grouper.check(Net(), grouper.parse(RULES))
    part = Net().cut(number)
    WAYS[way](part, mesh=mesh["copy"])
    optimizer, scheduler = built(part, report)
    group = mesh.get_group("stage")
    stage = PipelineStage(part, number, STAGES, torch.device("cpu"), group=group)
    schedule = ScheduleGPipe(stage, 2, loss_fn=loss)
    rates = []
    for batch in data():
        own = batch.chunk(copies)[copy]
        optimizer.zero_grad()
        if number == 0:
            schedule.step(own)
        else:
            schedule.step(target=own[:, :2], losses=[])
        rates.append({group["name"]: group["lr"] for group in optimizer.param_groups})
        optimizer.step()
        scheduler.step()
    return rates, dict(part.named_parameters())


def main(way, folder):
    dist.init_process_group("gloo")
    rates, weights = staged(way)
    whole = {n: w.full_tensor() if hasattr(w, "full_tensor") else w for n, w in weights.items()}
    path = Path(folder) / f"{way}{dist.get_rank()}"
    path.with_suffix(".json").write_text(json.dumps(rates))
    torch.save({n: w.detach().clone() for n, w in whole.items()}, path.with_suffix(".pt"))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
