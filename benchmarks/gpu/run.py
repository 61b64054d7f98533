"""What needs a GPU, in one command: `python benchmarks/gpu/run.py`.

With several GPUs, NCCL as well: `torchrun --nproc-per-node=2 benchmarks/gpu/run.py`.

Each case trains twice, by rules and by hand-written groups, and compares the weights. It has not
been run yet: the machine on which it was written has no GPU.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import torch
from torch import distributed, nn

import grouper

STEPS, LR, DECAY = 60, 1e-3, 0.1
RULES = """
optimizer AdamW lr={lr} {options}
warmup steps=10; schedule linear after=warmup
else ndim >= 2 -> decay weight_decay=0.1
else -> rest weight_decay=0
"""


def model() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Linear(256, 512), nn.GELU(), nn.LayerNorm(512), nn.Linear(512, 16))
    return nn.Sequential(*layers).cuda()


def factor(step: int) -> float:
    return step / 10 if step < 10 else max(0.0, (STEPS - step) / (STEPS - 10))


class Pair:
    """A model with its optimizer and a function that sets the rates of a step."""

    def __init__(self, by_rules: bool, **options: object) -> None:
        self.model = model()
        if by_rules:
            said = " ".join(f"{key}={str(value).lower()}" for key, value in options.items())
            rules = grouper.parse(RULES.format(lr=LR, options=said))
            self.optimizer, scheduler = grouper.build(self.model, rules, steps=STEPS)
            if options.get("capturable"):
                for group in self.optimizer.param_groups:
                    group["lr"] = torch.tensor(float(group["lr"]), device="cuda")
            self.next: Callable[[int], object] = lambda step: scheduler.step()
            return
        split: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
        for parameter in self.model.parameters():
            split[parameter.ndim < 2].append(parameter)
        groups = [
            {"params": split[0], "weight_decay": DECAY},
            {"params": split[1], "weight_decay": 0.0},
        ]
        first: object = 0.0
        if options.get("capturable"):
            first = torch.tensor(0.0, device="cuda")
        self.optimizer = torch.optim.AdamW(groups, lr=first, **options)  # type: ignore[arg-type]
        self.next = self._set

    def _set(self, step: int) -> None:
        for group in self.optimizer.param_groups:
            rate = LR * factor(step)
            group["lr"] = group["lr"].fill_(rate) if isinstance(group["lr"], torch.Tensor) else rate


def train(pair: Pair, *, half: bool = False, compiled: bool = False) -> nn.Module:
    scaler = torch.amp.GradScaler("cuda", enabled=half)
    made = nn.parallel.DistributedDataParallel(pair.model) if ranks() > 1 else pair.model
    run = torch.compile(made, mode="reduce-overhead") if compiled else made
    generator = torch.Generator("cuda").manual_seed(1)
    for step in range(1, STEPS + 1):
        batch = torch.randn(64, 256, device="cuda", generator=generator)
        with torch.autocast("cuda", torch.float16, enabled=half):
            loss = run(batch).float().square().mean()
        scaler.scale(loss).backward()
        scaler.step(pair.optimizer)
        scaler.update()
        pair.optimizer.zero_grad()
        pair.next(step)
    return pair.model


def ranks() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


CASES: dict[str, tuple[dict[str, object], dict[str, bool]]] = {
    "plain": ({}, {}),
    "fused": ({"fused": True}, {}),
    "capturable": ({"capturable": True}, {}),
    "GradScaler, fp16": ({"fused": True}, {"half": True}),
    "torch.compile, CUDA graphs": ({"capturable": True}, {"compiled": True}),
}


def main() -> int:
    if not torch.cuda.is_available():
        print("no CUDA device here: run this on a machine with a GPU", file=sys.stderr)
        return 2
    if "RANK" in os.environ:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group("nccl")
    failed = 0
    for name, (options, how) in CASES.items():
        ours, own = (train(Pair(by_rules, **options), **how) for by_rules in (True, False))
        pairs = zip(ours.parameters(), own.parameters(), strict=True)
        most = max(float((one - other).detach().abs().max()) for one, other in pairs)
        failed += most > 1e-5
        print(f"{name}, {ranks()} rank(s): weights differ by at most {most:.1e}")
    if distributed.is_initialized():
        distributed.destroy_process_group()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
