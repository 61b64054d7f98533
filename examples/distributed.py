"""Trains a sharded model by rules, and goes on from its parts on any number of processes.

torchrun --nproc-per-node 2 examples/distributed.py        # run it again: it goes on
torchrun --nproc-per-node 4 examples/distributed.py        # on four processes, too
"""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed import checkpoint as dcp
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.distributed.checkpoint.state_dict import (
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import grouper

RULES = Path(__file__).with_name("distributed.rules")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
EPOCHS, BATCH = 2, 32  # epochs of each run; the batch of all processes together


def sharded_model(mesh):
    torch.manual_seed(0)
    blocks = [nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True) for _ in range(2)]
    model = nn.Sequential()
    model.embed, model.body = nn.Embedding(16, 32), nn.Sequential(*map(checkpoint_wrapper, blocks))
    model.head = nn.Linear(32, 16)
    for block in model.body:
        fully_shard(block, mesh=mesh)
    return fully_shard(model.to(DEVICE), mesh=mesh)


def main(folder):
    if DEVICE == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if DEVICE == "cuda" else "gloo")
    rank, ranks = dist.get_rank(), dist.get_world_size()
    tokens = torch.randint(16, (640, 12), generator=torch.Generator().manual_seed(0))
    model = sharded_model(init_device_mesh(DEVICE, (ranks,)))
    optimizer = grouper.build_optimizer(model, RULES)  # an error on all, where ranks disagree
    plan = grouper.plan(model, RULES, steps_per_epoch=len(tokens) // BATCH, epochs=4 * EPOCHS)
    scheduler, scaler = plan.scheduler(optimizer), torch.amp.GradScaler(DEVICE)
    monitor = grouper.Monitor(optimizer, plan, path=folder / "distributed.jsonl")
    state = {"model": get_model_state_dict(model)}
    whole = sorted(folder.glob("epoch*/.metadata"), key=os.path.getmtime)  # written last
    if whole:
        saved, parts = whole[-1].parent, {"scheduler": scheduler, "scaler": scaler}
        dcp.load(state | parts | {"monitor": monitor}, checkpoint_id=saved)
        set_model_state_dict(model, state["model"])
        restored = grouper.load_optimizer_state(optimizer, saved)
        if rank == 0:
            print(f"from step {scheduler.last_epoch}: {restored}")
    first = scheduler.last_epoch // plan.steps_per_epoch
    for epoch in range(first, first + EPOCHS):
        order = torch.randperm(len(tokens), generator=torch.Generator().manual_seed(epoch))
        for batch in order.split(BATCH):
            x = tokens[batch[rank::ranks]].to(DEVICE)
            loss = nn.functional.cross_entropy(
                model(x).flatten(0, 1), (x + 1).remainder(16).flatten()
            )
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            scheduler.step()
        dist.all_reduce(loss := loss.detach())
        if rank == 0:
            print(f"epoch {epoch + 1}: loss {loss.item() / ranks:.4f}")
    state = {"model": get_model_state_dict(model), "scheduler": scheduler, "scaler": scaler}
    state |= {"optimizer": get_optimizer_state_dict(model, optimizer), "monitor": monitor}
    dcp.save(state, checkpoint_id=folder / f"epoch{epoch + 1}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
