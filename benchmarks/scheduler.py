"""What the plan's scheduler costs, against torch's own and as a share of the training's steps.

python benchmarks/scheduler.py [STEPS]

`scheduler.step()`, in warm-up with momentum and after it, against that of LambdaLR, which writes lr
alone, without warm-up, and looks at nothing; then the processor time of the scheduler and its hook
on `optimizer.step()` as a share of whole training steps, in the first steps, where it watches the
gradients, and after. Run it with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from statistics import median
from time import process_time

import torch
from models import TRAININGS, Training, vit
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

import grouper
from grouper.train.step_watcher import GRADIENT_CHECKS, StepWatcher

RULES = """
optimizer SGD lr=1e-4 momentum=0.9
warmup steps=100 momentum=0.8
schedule cosine final=0.01
split kind { *.bias -> bias warmup_start=0.1; else ndim == 1 -> norm; else -> weight }
"""
CALLS, ROUNDS = 1000, 9


def per_call(scheduler: LRScheduler) -> float:
    start = process_time()
    for _ in range(CALLS):
        scheduler.step()
    return (process_time() - start) / CALLS


def against_lambda(groups: int, warmup: int) -> tuple[float, float]:
    """Seconds a call in a warm-up of so many steps, or after a short one, and the median of the
    paired ratios to LambdaLR's."""

    def optimizer() -> Optimizer:
        made = [
            [(f"{i}.{j}", torch.nn.Parameter(torch.ones(1))) for j in range(20)]
            for i in range(groups)
        ]
        options = [{"params": params, "name": f"g{i}", "lr": 0.1} for i, params in enumerate(made)]
        return torch.optim.SGD(options, lr=0.1, momentum=0.9)

    model = torch.nn.ModuleList(
        [torch.nn.ParameterList([torch.ones(1) for _ in range(20)]) for _ in range(groups)]
    )
    rules = grouper.parse(
        f"optimizer SGD lr=0.1 momentum=0.9\nwarmup steps={warmup} momentum=0.8\n"
        "schedule cosine final=0.01\n{i}.* -> g{i}"
    )
    plan = grouper.plan(model, rules, steps_per_epoch=10**6, epochs=100)
    ours = plan.scheduler(optimizer())
    native = LambdaLR(optimizer(), lambda x: (1 + math.cos(math.pi * (x // 10**6) / 100)) / 2)
    native.optimizer._opt_called = True  # or it warns
    per_call(ours), per_call(native)
    pairs = [(per_call(ours), per_call(native)) for _ in range(ROUNDS)]
    return median(one for one, _ in pairs), median(one / other for one, other in pairs)


class Clock:
    """Adds up the processor time of calls."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, call: Callable[..., object]) -> Callable[..., object]:
        def timed(*arguments: object) -> object:
            start = process_time()
            try:
                return call(*arguments)
            finally:
                self.seconds += process_time() - start

        return timed


def share(training: Training, steps: int) -> tuple[float, float, float]:
    """Seconds of a step, and the scheduler's share while it watches gradients and after."""
    model, loss = training
    rules = grouper.parse(RULES)
    optimizer = grouper.build_optimizer(model, rules)
    scheduler = grouper.plan(model, rules, steps_per_epoch=1000, epochs=10).scheduler(optimizer)
    clock = Clock()
    StepWatcher.on_step, on_step = clock.around(StepWatcher.on_step), StepWatcher.on_step
    step = clock.around(scheduler.step)

    def run(count: int) -> tuple[float, float]:
        clock.seconds, start = 0.0, process_time()
        for _ in range(count):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
            step()
        whole = process_time() - start
        return whole / count, clock.seconds / (whole - clock.seconds)

    run(2)  # torch imports and allocates
    first = run(steps)[1]
    scheduler._watcher._gradient_checks = GRADIENT_CHECKS
    seconds, later = run(steps)
    StepWatcher.on_step = on_step
    return seconds, first, later


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for groups in (1, 3, 12, 50, 200):
        (early, rising), (late, ratio) = against_lambda(groups, 10**7), against_lambda(groups, 100)
        print(
            f"{groups:3} groups: {early * 1e6:6.1f} us a step in warm-up with momentum,"
            f" {rising:.2f} times LambdaLR's; {late * 1e6:6.1f} us after it, {ratio:.2f} times"
        )
    tiny = {"vit_tiny at 64 px, batch 8": lambda: vit(size=64)}
    for name, training in (tiny | TRAININGS).items():
        seconds, first, later = share(training(), steps)
        print(
            f"{name}: {seconds * 1e3:.0f} ms a step; the scheduler {first:.3%} of it at first,"
            f" {later:.3%} later"
        )


if __name__ == "__main__":
    main()
