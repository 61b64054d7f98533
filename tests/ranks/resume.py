"""Go on from checkpoints of two processes, on as many as there are; none need be `torchrun`'s."""

import json
import sys
from pathlib import Path

import small_model as small
import torch
import torch.distributed as dist
from torch.distributed import checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel

import grouper

MODELS = {
    "bare": lambda model: model,
    "ddp": DistributedDataParallel,
    "fsdp2": lambda model: small.sharded(model, init_device_mesh("cpu", (dist.get_world_size(),))),
}


def resumed(folder, saved, into, rules, blocks=2):
    """Load the checkpoint `saved`, compare the moments with the whole ones, train two steps on."""
    expected = torch.load(folder / f"{saved.removesuffix('-flat')}.pt")
    model = MODELS[into](small.net(blocks))
    optimizer = grouper.build_optimizer(model, grouper.parse(rules))
    plan = grouper.plan(model, grouper.parse(rules), steps_per_epoch=3, epochs=4)
    scheduler = plan.scheduler(optimizer)
    state = {"model": get_model_state_dict(model), "scheduler": scheduler.state_dict()}
    loader = dcp.DefaultLoadPlanner(allow_partial_load=True)
    dcp.load(state, checkpoint_id=folder / saved.removesuffix("-flat"), planner=loader)
    set_model_state_dict(model, state["model"])
    scheduler.load_state_dict(state["scheduler"])
    restored = grouper.load_optimizer_state(optimizer, folder / saved)
    moments = small.state_by_name(optimizer)
    same = all(
        torch.equal(value, moments[name][key])
        for name, state in expected["moments"].items()
        for key, value in state.items()
    )
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    part = slice(8 // ranks * rank, 8 // ranks * (rank + 1))
    data = [batch[part] for batch in small.batches(2, first=small.STEPS)]
    rates, _ = small.train(model, optimizer, scheduler, data)
    weights = {n: small.whole(p).tolist() for n, p in get_model_state_dict(model).items()}
    return {"said": str(restored), "new": restored.new, "same": same, "rates": rates, **weights}


def main(folder):
    dist.init_process_group("gloo")
    found = {}
    for saved in ("fsdp2", "ddp", "fsdp2-flat"):
        for into in ("fsdp2", "ddp"):
            found[f"{saved} into {into}"] = resumed(folder, saved, into, small.RULES)
    found["changed"] = resumed(folder, "ddp", "fsdp2", small.OTHERWISE)
    found["grown"] = resumed(folder, "fsdp2", "fsdp2", small.OTHERWISE, blocks=3)
    if dist.get_rank() == 0:
        (folder / "resumed.json").write_text(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
