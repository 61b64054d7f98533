"""How resuming an optimizer grows: ten times the parameters should take ten times the time.

python benchmarks/growth_resume.py

`load_optimizer_state` runs on 1,000 and on 10,000 parameters. The number behind it is the time of
the latter over ten times that of the former: 1 is linear, 10 quadratic. Exit status 1 above 3.
"""

from __future__ import annotations

import sys
import time

import torch
from torch import nn

import grouper

MOST = 3.0
SMALL, LARGE, ROUNDS = 1_000, 10_000, 5


def resume(count: int, prefix: str = "") -> float:
    """The shortest time, in seconds, in which a new optimizer takes a saved state."""
    model = nn.ParameterList(nn.Parameter(torch.zeros(1)) for _ in range(count))
    rules = grouper.parse("optimizer SGD lr=0.1 momentum=0.9\n* -> all")
    old = grouper.build_optimizer(model, rules)
    for parameter in model:
        parameter.grad = torch.ones(1)
    old.step()
    state = old.state_dict()
    for group in state["param_groups"]:
        group["param_names"] = [prefix + name for name in group["param_names"]]
    new = grouper.build_optimizer(model, rules)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        restored = grouper.load_optimizer_state(new, state)
        times.append(time.perf_counter() - start)
        assert len(restored.kept) == count
    return min(times)


def main() -> int:
    steep = False
    for what, prefix in (("resume", ""), ("resume, saved when wrapped", "module.")):
        small, large = resume(SMALL, prefix), resume(LARGE, prefix)
        growth = large / (small * LARGE / SMALL)
        steep |= growth > MOST
        print(f"{what}: {LARGE:,} parameters in {large:.2f} s, {growth:.2f}", flush=True)
    return int(steep)


if __name__ == "__main__":
    sys.exit(main())
