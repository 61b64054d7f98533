"""What two processes find; `test_processes.py` looks at it. Each part returns values for JSON."""

import copy
import json
import sys
import time
from pathlib import Path

import small_model as small
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed import checkpoint as dcp
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

import grouper
from grouper.reports.terminal import report_text

dist.init_process_group("gloo")
RANK, OUT = dist.get_rank(), Path(sys.argv[1])
MESH = init_device_mesh("cpu", (2,))


def compiled(model):
    return torch.compile(model, backend="eager")


def on_meta():
    with torch.device("meta"):
        return small.Net()


def tensor_parallel(model):
    plan = {"embed": ColwiseParallel(), "blocks.*.linear": RowwiseParallel()}
    return parallelize_module(model, MESH, plan)


def in_place(model):
    model.blocks[1].compile(backend="eager")
    return model


class OwnParallel(DistributedDataParallel):
    """As people derive one, to reach through it."""


def wrapped():
    net, ddp, shard = small.net, DistributedDataParallel, lambda m: small.sharded(m, MESH)
    return {
        "bare": net(),
        "ddp": ddp(net()),
        "derived": OwnParallel(net()),
        "data parallel": nn.DataParallel(net()),
        "average": AveragedModel(net()),
        "fsdp2": shard(net()),
        "fsdp2 at the root": fully_shard(net(), mesh=MESH),
        "fsdp2 on meta": shard(on_meta()),
        "meta": on_meta(),
        "compiled": compiled(net()),
        "compiled in place": in_place(net()),
        "checkpointed": small.checkpointed(net()),
        "checkpointed at the root": checkpoint_wrapper(net()),
        "tensor parallel": tensor_parallel(net()),
        "fsdp1": FullyShardedDataParallel(
            net(), use_orig_params=True, device_id=torch.device("cpu")
        ),
        "ddp of compiled of checkpointed": ddp(compiled(small.checkpointed(net()))),
        "compiled of ddp of checkpointed": compiled(ddp(small.checkpointed(net()))),
        "fsdp2 of checkpointed": shard(small.checkpointed(net())),
        "compiled of fsdp2 of checkpointed": compiled(shard(small.checkpointed(net()))),
        "checkpointed of ddp": checkpoint_wrapper(ddp(small.checkpointed(net()))),
    }


def reports():
    rules, found = grouper.parse(small.RULES), {}
    for kind, model in wrapped().items():
        report = grouper.check(model, rules)
        facts = [[p.names, p.shape, p.dtype, p.trainable] for p in report.inventory.parameters]
        modules = sorted([m.path, m.cls, m.bases] for m in report.inventory.modules.values())
        groups = grouper.param_groups(model, rules)
        assert all(any(t is p for p in model.parameters()) for g in groups for _, t in g["params"])
        names = [[group["name"], *(name for name, _ in group["params"])] for group in groups]
        text = report_text(report)
        found[kind] = [text, facts, modules, names, report.grouping.digest]
    return found


class FSDPHead(nn.Linear):
    """No wrapper of torch's, though it is called like one."""


def classes():
    """Which parameters class selectors match on a sharded model."""
    model = nn.ModuleDict({"body": nn.Linear(4, 4), "head": FSDPHead(4, 4)})
    for module in model.values():
        fully_shard(module, mesh=MESH)
    found = {}
    for selector in ("@Linear", "@FSDP*", "@FSDPHead", "@torch.nn.Linear", "in @ModuleDict"):
        report = grouper.check(model, grouper.parse(f"{selector} -> a lr=1; else -> b lr=1"))
        found[selector] = [p.name for g in report.grouping.groups[:1] for p in g.parameters]
    return found


BASE = small.RULES
CASES = {
    "comment": BASE + "# another comment\n",
    "lr": BASE.replace("lr=0.02", "lr=0.03"),
    "group": BASE.replace("weight_decay=0.1", "weight_decay=0.2"),
    "plan": BASE.replace("warmup_start=0.05", "warmup_start=0.04"),
    "warm-up": BASE.replace("steps=3", "steps=4"),
    "schedule": BASE.replace("final=0.1", "final=0.2"),
    "optimizer": BASE.replace("AdamW", "Adam"),
    "member": BASE.replace("ndim < 2 ", "ndim < 2 and not blocks.1.* ").replace(
        "else ", "blocks.1.* and ndim < 2 -> tail\nelse "
    ),
    "frozen": BASE + "override embed.* -> freeze\n",
    "findings": BASE.replace("else ", "embed.* and tied "),
    "syntax": "out of\n",
    "no class": "optimizer nowhere:Class lr=1\n* -> all\n",
    "no file": None,
}


def outcome(build):
    model, began = small.net(), time.monotonic()
    try:
        build(model)
        said = "fine"
    except Exception as error:
        findings = [f.message for f in getattr(error, "findings", ()) if "rank" in f.message]
        said = f"{type(error).__name__}: {(findings or [str(error)])[0]}"
    trainable = sum(p.requires_grad for p in model.parameters())
    return [said, trainable, time.monotonic() - began]


def disagreements():
    found = {}
    for name, text in CASES.items():
        other = Path("nowhere.rules") if text is None else grouper.parse(text)
        rules = other if RANK else grouper.parse(BASE)
        found[name] = outcome(lambda model, rules=rules: grouper.build_optimizer(model, rules))
    found["groups alone"] = outcome(
        lambda model: grouper.param_groups(model, grouper.parse(CASES["lr"] if RANK else BASE))
    )
    return found


def stages():
    """Ranks with different models: refused, but where it is said that they agree with nobody."""
    rules, found = grouper.parse("optimizer SGD lr=1\n* -> all"), {}
    own = [dist.new_group([0]), dist.new_group([1])][RANK]
    not_mine = [dist.new_group([0]), dist.new_group([1])][1 - RANK]
    for name, group in {"all": None, "own": own, "not mine": not_mine, "none": False}.items():
        model = nn.Linear(2, 2) if RANK else nn.Sequential(nn.Linear(2, 2))
        try:
            grouper.build_optimizer(model, rules, process_group=group)
            found[name] = "fine"
        except grouper.GroupingError as error:
            found[name] = error.findings[0].message
    return found


def run(model, data, rules=small.RULES, clip=None):
    rules = grouper.parse(rules)
    optimizer = grouper.build_optimizer(model, rules)
    plan = grouper.plan(model, rules, steps_per_epoch=3, epochs=4)
    scheduler = plan.scheduler(optimizer)
    rates, norms = small.train(model, optimizer, scheduler, data, clip)
    weights = {n: small.whole(p) for n, p in get_model_state_dict(model).items()}
    return optimizer, scheduler, [rates, norms, {n: w.tolist() for n, w in weights.items()}]


def training():
    half = [batch[RANK * 4 : RANK * 4 + 4] for batch in small.batches()]
    same = [batch[:4] for batch in small.batches()]
    shard = lambda m: small.sharded(small.checkpointed(m), MESH)  # noqa: E731
    return {
        "half": {
            "ddp": run(DistributedDataParallel(small.net()), half, clip=0.05)[2],
            "fsdp2": run(shard(small.net()), half, clip=0.05)[2],
            "compiled fsdp2": run(compiled(shard(small.net())), half, clip=0.05)[2],
        },
        "same": {
            "ddp": run(DistributedDataParallel(small.net()), same)[2],
            "fsdp2": run(shard(small.net()), same)[2],
        },
    }


def equal(left, right):
    return left.keys() == right.keys() and all(
        left[name].keys() == right[name].keys()
        and all(torch.equal(left[name][key], right[name][key]) for key in left[name])
        for name in left
    )


def checkpoints():
    """Saved by two, in three ways; `expected.pt` has the same moments whole."""
    half = [batch[RANK * 4 : RANK * 4 + 4] for batch in small.batches()]
    kinds = {
        "fsdp2": lambda: small.sharded(small.net(), MESH),
        "ddp": lambda: DistributedDataParallel(small.net()),
    }
    for kind, make in kinds.items():
        model = make()
        optimizer, scheduler, _ = run(model, half)
        saved = {
            "model": get_model_state_dict(model),
            "optimizer": get_optimizer_state_dict(model, optimizer),
            "scheduler": scheduler.state_dict(),
        }
        dcp.save(saved, checkpoint_id=OUT / kind)
        options = StateDictOptions(flatten_optimizer_state_dict=True)
        flat = get_optimizer_state_dict(model, optimizer, options=options)
        dcp.save({"optimizer": flat}, checkpoint_id=OUT / f"{kind}-flat")
        moments = small.state_by_name(optimizer)
        weights = {n: small.whole(p) for n, p in get_model_state_dict(model).items()}
        if RANK == 0:
            torch.save({"moments": moments, "weights": weights}, OUT / f"{kind}.pt")
    return


def moves():
    """From DDP to FSDP2 and back, and under other rules, in memory."""
    half = [batch[RANK * 4 : RANK * 4 + 4] for batch in small.batches()]
    found = {}
    ddp, fsdp = DistributedDataParallel(small.net()), small.sharded(small.net(), MESH)
    old, _, _ = run(ddp, half)
    new = grouper.build_optimizer(fsdp, grouper.parse(small.OTHERWISE))
    restored = grouper.load_optimizer_state(new, copy.deepcopy(old.state_dict()))
    found["ddp to fsdp2"] = [
        str(restored),
        equal(small.state_by_name(old), small.state_by_name(new)),
    ]
    sharded = all(
        hasattr(v, "placements") for s in new.state.values() for v in s.values() if v.ndim
    )
    found["in parts"] = sharded
    small.train(fsdp, new, torch.optim.lr_scheduler.ConstantLR(new), half[:1])
    back = grouper.build_optimizer(ddp, grouper.parse(small.RULES))
    state = get_optimizer_state_dict(fsdp, new)
    restored = grouper.load_optimizer_state(back, state)
    found["fsdp2 to ddp"] = [
        str(restored),
        equal(small.state_by_name(new), small.state_by_name(back)),
    ]
    full = get_optimizer_state_dict(fsdp, new, options=StateDictOptions(full_state_dict=True))
    again = grouper.build_optimizer(fsdp, grouper.parse(small.RULES))
    restored = grouper.load_optimizer_state(again, full)
    found["whole"] = [str(restored), equal(small.state_by_name(new), small.state_by_name(again))]
    for name in ("SGD momentum=0.9", "RMSprop", "Adagrad", "NAdam"):
        old, _, _ = run(ddp, half[:2], f"optimizer {name} lr=0.01\n* -> all")
        rules = f"optimizer {name} lr=0.01\n*.bias -> bias; else -> rest"
        new = grouper.build_optimizer(fsdp, grouper.parse(rules))
        restored = grouper.load_optimizer_state(new, old.state_dict())
        same = equal(small.state_by_name(old), small.state_by_name(new))
        small.train(fsdp, new, torch.optim.lr_scheduler.ConstantLR(new), half[:1])
        found[name] = [str(restored), same]
    return found


TWO = """
optimizer SGD as rest lr=0.1 momentum=0.9
optimizer AdamW as matrices lr=0.01
ndim >= 2 -> matrix optimizer=matrices
else      -> vector
"""


def several():
    """Several optimizers in one, through torch's own functions and a checkpoint."""
    model = small.sharded(small.net(), MESH)
    optimizer, _, _ = run(model, small.batches(3), TWO)
    state = get_optimizer_state_dict(model, optimizer)
    dcp.save({"optimizer": state}, checkpoint_id=OUT / "several")
    by_torch = grouper.build_optimizer(model, grouper.parse(TWO))
    set_optimizer_state_dict(model, by_torch, state)
    by_name = grouper.build_optimizer(model, grouper.parse(TWO))
    restored = grouper.load_optimizer_state(by_name, OUT / "several")
    expected = small.state_by_name(optimizer)
    same = [equal(expected, small.state_by_name(o)) for o in (by_torch, by_name)]
    kept = [type(member).__name__ for member in by_name.members.values() if member.state]
    return [str(restored), *same, kept]


def torchs_functions():
    """Torch steps an optimizer once in secret to learn what it keeps: the plan takes no notice."""
    whole_run = run(small.sharded(small.net(), MESH), small.batches())[2]
    model, rules = small.sharded(small.net(), MESH), grouper.parse(small.RULES)
    optimizer, scheduler, _ = run(model, small.batches(4))
    state = get_optimizer_state_dict(model, optimizer)
    fresh = grouper.build_optimizer(model, rules)
    going_on = grouper.plan(model, rules, steps_per_epoch=3, epochs=4).scheduler(fresh)
    set_optimizer_state_dict(model, fresh, state)
    going_on.load_state_dict(scheduler.state_dict())
    rates, _ = small.train(model, fresh, going_on, small.batches(2, first=4))
    weights = {n: small.whole(p).tolist() for n, p in get_model_state_dict(model).items()}
    return [rates == whole_run[0][4:], weights == whole_run[2]]


PARTS = (
    reports,
    classes,
    disagreements,
    stages,
    training,
    checkpoints,
    moves,
    several,
    torchs_functions,
)
found = {}
for part in PARTS:
    began = time.monotonic()
    found[part.__name__] = part()
    found.setdefault("seconds", {})[part.__name__] = time.monotonic() - began
(OUT / f"rank{RANK}.json").write_text(json.dumps(found))
dist.destroy_process_group()
