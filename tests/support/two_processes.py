"""Two processes train one small model, watched; each is a fork that meets the other by gloo."""

from __future__ import annotations

import json
import os
import traceback

import torch
from support.monitor_models import small
from torch import distributed

import grouper
from grouper.monitor import monitor as watching
from grouper.monitor.measure import MeasuredStep

WORLD, STEPS = 2, 4


def in_two_processes(ways, folder):
    """Train in each of the ways, one after the other; what became of it is in files by rank."""
    children = [_forked(ways, folder, rank) for rank in range(WORLD)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * WORLD, [(folder / f"{rank}.txt").read_text() for rank in range(WORLD)]


def _forked(ways, folder, rank):
    child = os.fork()
    if child:
        return child
    code = 1
    try:  # nothing of pytest may go on in here
        torch.set_num_threads(1)
        meeting = f"file://{folder}/meeting"
        distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=WORLD)
        for way in ways:
            (folder / way).mkdir(exist_ok=True)
            distributed.barrier()
            _train(way, folder / way, rank)
        distributed.destroy_process_group()
        code = 0
    except BaseException:
        (folder / f"{rank}.txt").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _train(way, folder, rank):
    model = _wrapped(way, small())
    named = [(name.removeprefix("module."), p) for name, p in model.named_parameters()]
    groups = [
        {"name": name, "params": [(n, p) for n, p in named if p.ndim == ndim], "lr": lr}
        for name, ndim, lr in (("weight", 2, 0.1), ("bias", 1, 0.2))
    ]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    seen, said = [], []
    watching.warn = said.append
    options = {"path": folder / f"{rank}.jsonl", "every": 1, "on_record": seen.append}
    monitor = grouper.Monitor(optimizer, **options)
    if way == "fsdp, faulty" and rank == 1:
        _fail_third(MeasuredStep, "_before")
    if way == "fsdp, faulty writing" and rank == 0:
        _fail_third(grouper.Monitor, "_write")
    torch.manual_seed(1)
    for i, batch in enumerate(torch.randn(STEPS, 4 * WORLD, 4).chunk(WORLD, dim=1)[rank]):
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        if i == STEPS - 1:
            gradient = named[0][1].grad
            getattr(gradient, "_local_tensor", gradient).view(-1)[0] = float("nan")
        optimizer.step()
    found = {"records": len(seen), "step": monitor.step, "stopped": monitor._stopped, "said": said}
    (folder / f"{rank}.json").write_text(json.dumps(found))
    monitor.close()


def _wrapped(way, model):
    if way == "ddp":
        return torch.nn.parallel.DistributedDataParallel(model)
    from torch.distributed.fsdp import fully_shard

    for layer in (model[0], model[2]):
        fully_shard(layer)
    return fully_shard(model)


def _fail_third(owner, name):
    plain, calls = getattr(owner, name), []

    def fail(self, *given):
        calls.append(self)
        if len(calls) == 3:
            raise MemoryError("none left")
        plain(self, *given)

    setattr(owner, name, fail)
