"""What the monitor costs, as a share of the training's own steps.

python benchmarks/monitor.py [PAIRS]

One process trains one model; blocks of ten steps with the monitor (`every=1` on a small model, and
`every=10`) and without it take turns, and each pair gives a ratio. Beside the median of the ratios:
the share of the time that passes in the monitor's own hooks, which says the same with less noise.
Processor time is measured, so that other programs on the machine count less; run it with
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import torch
from models import TRAININGS, Training, vit

import grouper
from grouper.monitor.monitor import Monitor

RULES = """
optimizer SGD lr=1e-4 momentum=0.9
split kind { *.bias -> bias; else ndim == 1 -> norm; else -> weight }
"""
STEPS = 10
LARGER = ("YOLOv8n at 320 px, batch 4", "vit_small at 224 px, batch 4")


class Timed(Monitor):
    """The monitor, with the processor time that it takes."""

    seconds = 0.0

    def _attempt(self, action: Callable[[], None]) -> None:
        start = process_time()
        super()._attempt(action)
        Timed.seconds += process_time() - start


def cost(training: Training, every: int, pairs: int, folder: Path) -> tuple[float, float, float]:
    """Seconds a step, the median of the paired ratios less 1, and the share of the hooks."""
    model, loss = training
    rules = grouper.parse(RULES, "benchmark.rules")
    optimizer = grouper.build_optimizer(model, rules)
    plan = grouper.plan(model, rules, steps_per_epoch=100, epochs=10)

    def block() -> float:
        start = process_time()
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        return process_time() - start

    block()
    with_it, without = [], []
    Timed.seconds = 0.0
    for pair in range(pairs):
        for watched in (pair % 2 == 0, pair % 2 == 1):
            if watched:
                with Timed(optimizer, plan, every=every, path=folder / f"{pair}.jsonl"):
                    with_it.append(block())
            else:
                without.append(block())
    ratios = [a / b for a, b in zip(with_it, without, strict=True)]
    return median(without) / STEPS, median(ratios) - 1, Timed.seconds / sum(with_it)


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    torch.manual_seed(0)
    small = ("vit_tiny at 64 px, batch 8", lambda: vit(size=64))
    rows = [(*small, 1), (*small, 10)]
    rows += [(name, TRAININGS[name], every) for name in LARGER for every in (1, 10)]
    print(f"{'training':32}{'every':>6}{'s a step':>10}{'paired':>10}{'in hooks':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for name, make, every in rows:
            seconds, paired, hooks = cost(make(), every, pairs, Path(folder))
            print(f"{name:32}{every:6}{seconds:10.3f}{paired:10.2%}{hooks:10.2%}", flush=True)


if __name__ == "__main__":
    main()
